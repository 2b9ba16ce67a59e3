from __future__ import annotations

from pathlib import Path

import pytest

from pawl.adapters.runs_folder import owner_token
from pawl.cli.keeping import is_alive, is_process_alive
from pawl.cli.options import KEY_VALUE
from pawl.cli.project import find_project, read_text
from pawl.cli.secrets_input import gather_secrets
from pawl.cli.starters import choose_starter, draw_workflow
from pawl.cli.stored_runs import draw_picture, list_steps, parse_run_number, select_jobs, select_steps
from pawl.cli.workflow_files import find_workflow
from pawl.core.model.errors import UsageError
from pawl.core.model.ids import JobId, JobKey, StepId
from pawl.core.model.run_events import JobQueued, JobStarted, StepStarted
from pawl.core.workflow.parse import parse_workflow

WORKFLOW = "name: {name}\non: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: 'true'\n"


def write(root: Path, name: str, text: str = "") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_project_is_found_from_any_folder_in_it(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "a" / ".github"
    inner.mkdir(parents=True)
    assert find_project(inner).root == tmp_path


def test_workflows_are_found_in_every_place(tmp_path: Path) -> None:
    names = [
        ".github/workflows/a.yml",
        ".github/workflows/b.yaml",
        ".pawl/workflows/c.yml",
        ".ci.yml",
        ".ci/d.yml",
    ]
    for name in (*names, ".github/workflows/notes.md", ".github/actions/x/action.yml"):
        write(tmp_path, name)
    project = find_project(tmp_path)
    assert [project.shown(path) for path in project.workflow_files()] == names
    assert [project.shown(path) for path in project.action_files()] == [".github/actions/x/action.yml"]


def test_a_workflow_is_found_by_path_file_name_and_name(tmp_path: Path) -> None:
    write(tmp_path, ".github/workflows/build.yml", WORKFLOW.format(name="Big Build"))
    write(tmp_path, ".github/workflows/two.yml", WORKFLOW.format(name="Two"))
    project = find_project(tmp_path)
    for wanted in ("build", "build.yml", ".github/workflows/build.yml", "big build"):
        assert find_workflow(project, wanted).checked.path == ".github/workflows/build.yml"
    with pytest.raises(UsageError) as caught:
        find_workflow(project, "buld")
    assert caught.value.hint == "did you mean `build`?"


def test_a_name_that_two_workflows_have_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path, f".github/workflows/{name}.yml", WORKFLOW.format(name="Same"))
    with pytest.raises(UsageError, match="several workflows are called"):
        find_workflow(find_project(tmp_path), "same")


def test_what_cannot_be_read_is_refused_with_a_word_on_why(tmp_path: Path) -> None:
    write(tmp_path, "a.yml")
    with pytest.raises(UsageError, match="there is no file") as caught:
        read_text(tmp_path / "b.yml")
    assert caught.value.hint is not None
    assert "`a.yml`" in caught.value.hint
    with pytest.raises(UsageError, match="not a regular file"):
        read_text(tmp_path)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"pyproject.toml": "", "tests/x.py": ""}, "pytest"),
        ({"requirements.txt": ""}, "compileall"),
        ({"package.json": "{}", "package-lock.json": ""}, "npm ci"),
        ({"go.mod": ""}, "go test"),
        ({"Cargo.toml": ""}, "cargo test"),
        ({"Makefile": "X := 1\nbuild:\n\techo\ncheck: build\n"}, "make check"),
        ({}, "echo"),
    ],
)
def test_every_starter_is_a_valid_workflow(files: dict[str, str], found: str, tmp_path: Path) -> None:
    for name, text in files.items():
        write(tmp_path, name, text)
    text = draw_workflow(choose_starter(tmp_path))
    assert found in text
    assert parse_workflow(text).diagnostics == ()


def test_secrets_come_from_file_and_environment(tmp_path: Path) -> None:
    file = write(tmp_path, "s.env", "# mine\nA=1\nB='two words'\n")
    assert gather_secrets(["C"], file, {"C": "3"}) == {"A": "1", "B": "two words", "C": "3"}


def test_a_secrets_value_never_shows_in_a_message(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as named:
        gather_secrets(["A=hunter2"], None, {})
    with pytest.raises(UsageError) as filed:
        gather_secrets([], write(tmp_path, "s.env", "A=1\nhunter2\n"), {})
    assert "hunter2" not in str(named.value) + str(named.value.hint) + str(filed.value)
    assert ":2:" in filed.value.message


def test_pairs_may_hold_equal_signs() -> None:
    assert KEY_VALUE.convert("a=b=c", None, None) == ("a", "b=c")


@pytest.mark.parametrize(("text", "number"), [(None, None), ("latest", None), ("12", 12), ("#3", 3)])
def test_run_numbers_are_read(text: str | None, number: int | None) -> None:
    assert parse_run_number(text) == number


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "9" * 30, "²"])
def test_what_is_no_run_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_run_number(text)


def test_jobs_and_steps_are_chosen_by_what_people_type() -> None:
    events = []
    for number, system in enumerate(("linux", "mac")):
        job = JobId(f"test#{number}")
        events += [
            JobQueued(time=0, job=job, key=JobKey("test"), name=f"test ({system})"),
            JobStarted(time=0, job=job, attempt=1, image=None, steps=()),
            StepStarted(time=0, job=job, index=1, step=StepId("unit"), name="Run pytest -q"),
        ]
    picture = draw_picture(events)
    assert list(select_jobs(picture, "test (MAC)")) == ["test#1"]
    assert list(select_jobs(picture, "test")) == ["test#0", "test#1"]
    steps = list_steps(picture.jobs)
    for wanted in ("unit", "Run pytest -q", "pytest", "1"):
        assert len(select_steps(steps, wanted)) == 2
    with pytest.raises(UsageError, match="there is no step `tox`"):
        select_steps(steps, "tox")


def test_an_owner_that_is_dead_and_keeps_nothing_is_dead(tmp_path: Path) -> None:
    *place, _, start = owner_token().split("/")
    dead = "/".join((*place, "99999999999", start)) + f"|{tmp_path}"
    assert not is_alive(dead)
    write(tmp_path, "kept.json", '["s"]')
    assert is_alive(dead)
    assert not is_process_alive(dead)


def test_an_owner_of_an_unknown_kind_is_left_alone() -> None:
    assert is_alive("somebody else")
    assert is_alive(owner_token())
