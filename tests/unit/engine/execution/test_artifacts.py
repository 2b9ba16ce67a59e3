from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from pawl.core.model.errors import UsageError
from pawl.core.model.ids import JobId
from pawl.core.steps.masking import SecretSet
from pawl.engine.execution.artifacts import check_names, collect_files, keep_artifact
from pawl.ports.artifacts import Manifest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "w"
    for name in ("dist/a.whl", "dist/b.whl", "dist/.hidden", "dist/sub/c.txt", "log.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def names(patterns: list[str], root: Path, *, include_hidden: bool = False) -> list[str]:
    found = collect_files(patterns, root, include_hidden=include_hidden)
    assert all(path.is_file() for _, path in found.files)
    return sorted(name for name, _ in found.files)


def test_files_are_named_from_what_the_patterns_have_in_common(root: Path) -> None:
    assert names(["dist/*.whl"], root) == ["a.whl", "b.whl"]
    assert names(["dist", "log.txt"], root) == ["dist/a.whl", "dist/b.whl", "dist/sub/c.txt", "log.txt"]
    assert names(["dist\n!**/*.whl"], root) == ["sub/c.txt"]


def test_hidden_files_come_only_when_asked(root: Path) -> None:
    assert ".hidden" not in names(["dist"], root)
    assert ".hidden" in names(["dist"], root, include_hidden=True)


def test_a_pattern_that_matches_nothing_is_named_with_the_folder(root: Path) -> None:
    found = collect_files(["dist/*.whl", "out/*.bin", "!x"], root, inside="/work")
    assert found.warnings == ("Nothing matches `out/*.bin` in the workspace",)


def test_links_are_left_out_with_a_warning(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (root / "dist/l.whl").symlink_to(tmp_path / "secret")
    (root / "dist/folder").symlink_to(tmp_path)
    found = collect_files(["dist/*"], root)
    assert sorted(name for name, _ in found.files) == ["a.whl", "b.whl", "sub/c.txt"]
    assert found.warnings == (
        "Links are not kept in artifacts, so these are left out: `dist/folder`, `dist/l.whl`",
    )


def test_a_bad_pattern_is_refused(root: Path) -> None:
    with pytest.raises(UsageError, match=r"\.\."):
        collect_files(["../x"], root)


class Store:
    """Remembers what is stored."""

    def __init__(self) -> None:
        self.stored: list[tuple[str, list[str], Path | None]] = []

    def store(
        self,
        name: str,
        job: JobId,
        files: Iterable[tuple[str, Path]],
        *,
        within: Path | None = None,
        attempt: int = 1,
        replace: bool = False,
    ) -> Manifest:
        self.stored.append((name, sorted(file for file, _ in files), within))
        return Manifest(name=name, job=job, files=())

    def manifests(self) -> tuple[Manifest, ...]:
        return ()

    def open_path(self, artifact: str, file: str) -> Path:
        raise KeyError(file)


def test_what_was_collected_is_stored_below_the_workspace_only(root: Path) -> None:
    store = Store()
    kept = keep_artifact(store, "wheels", JobId("j"), collect_files(["dist/*.whl"], root))
    assert kept.manifest is not None
    assert store.stored == [("wheels", ["a.whl", "b.whl"], root.resolve())]


def test_nothing_selected_is_nothing_stored(root: Path) -> None:
    store = Store()
    kept = keep_artifact(store, "wheels", JobId("j"), collect_files(["*.none"], root))
    assert (kept.manifest, store.stored) == (None, [])
    assert len(kept.warnings) == 1


@pytest.mark.parametrize("name", ["dist-s3cret-word", "dist"])
def test_a_name_that_holds_a_secret_is_refused_and_not_repeated(root: Path, name: str) -> None:
    (root / ("s3cret-word.txt" if name == "dist" else "plain.txt")).write_text("harmless")
    collected = collect_files(["*.txt"], root)
    with pytest.raises(UsageError, match="holds a secret") as caught:
        check_names(name, collected, SecretSet(["s3cret-word"]))
    assert "s3cret" not in f"{caught.value.message}{caught.value.hint}"
    check_names(name, collected, SecretSet(["another-word"]))
