from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pawl.cli.project import Project
from pawl.cli.settings import DEFAULT_LABELS, SETTINGS, TABLES, Settings
from pawl.cli.settings_file import OTHER_VARIABLES, load_settings, read_settings
from pawl.core.model.errors import UsageError

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_settings(Project(tmp_path), {}) == Settings()


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "pawl.toml").write_text('[run]\njobs = 3\nexecutor = "host"\n')
    settings = load_settings(Project(tmp_path), {"PAWL_JOBS": "5"})
    assert (settings.jobs, settings.executor) == (5, "host")


def test_labels_are_added_to_the_defaults() -> None:
    found = read_settings(b'[labels]\n"ubuntu-latest" = "debian:12"\ngpu = "cuda:12"\n', "pawl.toml")
    assert found["labels"] == {**DEFAULT_LABELS, "ubuntu-latest": "debian:12", "gpu": "cuda:12"}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[run]\njbos = 2\n", "pawl.toml:2: unknown setting `run.jbos`", "did you mean `jobs`?"),
        ("[labls]\nx = 'y'\n", "pawl.toml:1: unknown section `labls`", "did you mean `labels`?"),
        ("[run]\n\njobs = 0\n", "pawl.toml:3: `run.jobs` is `0`: expected at least 1", None),
        ("[run]\njobs = true\n", "expected a whole number", None),
        ("[run]\njobs = 1.5\n", "expected a whole number", None),
        ("[run]\njob_timeout_minutes = nan\n", "expected at least 0", None),
        ("[run]\nexecutor = 'podman'\n", "expected one of `auto`, `docker`, `host`", None),
        ("[run]\nstrict_variables = 'yes'\n", "expected true or false", None),
        ("[labels]\nx = 3\n", "pawl.toml:2: `labels.x` must be a text", None),
        ("run = 3\n", "`run` must be a table", None),
        ("[run\n", "is not valid TOML", None),
        ("\xff", "", None),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        read_settings(text.encode("latin-1"), "pawl.toml")
    assert message in caught.value.message
    assert hint is None or caught.value.hint == hint


def test_a_wrong_variable_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="PAWL_JOBS is `many`"):
        load_settings(Project(tmp_path), {"PAWL_JOBS": "many"})


def test_a_settings_file_named_but_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        load_settings(Project(tmp_path), {"PAWL_CONFIG": str(tmp_path / "none.toml")})


def test_every_setting_is_a_field_and_every_field_a_setting() -> None:
    fields = {field.name for field in dataclasses.fields(Settings)}
    assert fields == {setting.name for setting in SETTINGS} | set(TABLES)


def test_every_setting_is_documented_with_its_variable_and_summary() -> None:
    text = REFERENCE.read_text()
    for setting in SETTINGS:
        row = next(line for line in text.splitlines() if f"`{setting.key}`" in line and line.startswith("|"))
        assert f"`{setting.variable}`" in row
        assert setting.summary in row
        default = getattr(Settings(), setting.name)
        assert default is None or f"`{str(default).lower()}`" in row
    for name, summary in {**TABLES, **OTHER_VARIABLES}.items():
        assert f"`{name}`" in text or f"`[{name}]`" in text
        assert summary in text
    for label, image in DEFAULT_LABELS.items():
        assert f"`{label}`" in text
        assert f"`{image}`" in text


def test_the_section_of_the_server_is_checked_and_left_to_it() -> None:
    assert read_settings(b"[server]\nport = 9000\n", "pawl.toml") == {}
    with pytest.raises(UsageError, match=r"pawl.toml: unknown setting `server.prot`"):
        read_settings(b"[server]\nprot = 9000\n", "pawl.toml")
    assert read_settings(b'[remote]\nserver = "https://ci.example"\n', "pawl.toml") == {
        "server": "https://ci.example"
    }
