"""The folder of runs on a real disk: numbers, records, events, retention, owners."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pawl.adapters.runs_folder import RunsFolder, RunState, is_owner_alive, owner_token, remove_tree
from pawl.adapters.runs_folder.names import folder_name
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.ids import JobId, JobKey, StepId
from pawl.core.model.run_events import (
    JobFinished,
    JobQueued,
    LogAppended,
    RunEvent,
    RunFinished,
    StepFinished,
)
from pawl.core.model.status import Conclusion, FailureClass

JOB = JobId("build#1")
EVENTS: tuple[RunEvent, ...] = (
    JobQueued(time=1.0, job=JOB, key=JobKey("build"), name="build (3.12)"),
    StepFinished(
        time=2.0,
        job=JOB,
        index=3,
        step=StepId("test"),
        name="Test",
        outcome=Conclusion.FAILURE,
        conclusion=Conclusion.SUCCESS,
        duration=0.5,
        exit_code=2,
        reason="exit code 2",
        outputs={"version": "1.2\n\u2028"},
        trace=("success() -> true",),
    ),
    JobFinished(
        time=3.0,
        job=JOB,
        conclusion=Conclusion.FAILURE,
        duration=2,
        failure_class=FailureClass.USER,
        summary="# Done",
    ),
    RunFinished(time=4.0, conclusion=Conclusion.FAILURE, duration=4, jobs={"build#1": Conclusion.FAILURE}),
)


@pytest.fixture
def runs(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> RunsFolder:
    return RunsFolder(tmp_path, work=tmp_path_factory.mktemp("elsewhere"))


def test_a_run_is_numbered_kept_and_found_again(runs: RunsFolder) -> None:
    first = runs.create({"jobs": []}, workflow="CI", time=10)
    second = runs.create({"jobs": []}, workflow="CI", time=20)
    assert (first.number, second.number) == (1, 2)
    assert runs.open().number == 2
    assert runs.open(1).plan == {"jobs": []}
    assert [record.number for record in runs.list()] == [2, 1]
    assert first.record.state is RunState.RUNNING


def test_runs_started_at_once_get_numbers_of_their_own(runs: RunsFolder) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: runs.create(None, workflow="CI", time=1).number, range(24)))
    assert sorted(made) == list(range(1, 25))


def test_git_ignores_the_folder_by_itself(runs: RunsFolder, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    runs.create(None, workflow="CI", time=1)
    status = subprocess.run(["git", "-C", tmp_path, "status", "--porcelain"], check=True, capture_output=True)
    assert status.stdout == b""


def test_opening_what_is_not_there_says_what_is(runs: RunsFolder) -> None:
    with pytest.raises(UsageError, match="No run is kept"):
        runs.open()
    for _ in range(3):
        runs.create(None, workflow="CI", time=1)
    with pytest.raises(UsageError, match="no run 9 here; the kept ones are 1-3"):
        runs.open(9)


def test_events_come_back_as_the_values_they_were(runs: RunsFolder) -> None:
    run = runs.create(None, workflow="CI", time=1)
    reporter = run.reporter()
    for event in EVENTS:
        reporter.report(event)
    reporter.report(
        LogAppended(time=1, job=JOB, index=0, offset=0, first_line=1, stream="out", data=b"not kept")
    )
    assert tuple(runs.open(1).events()) == EVENTS
    run.finish(Conclusion.SUCCESS, time=5)


def test_events_that_a_crash_cut_or_a_later_version_wrote_are_left_out(runs: RunsFolder) -> None:
    run = runs.create(None, workflow="CI", time=1)
    run.reporter().report(EVENTS[0])
    with (run.path / "events.jsonl").open("ab") as file:
        file.write(b'{"type":"job_teleported","time":1}\n[1]\n{"type":"run_finished","time":')
    assert tuple(run.events()) == EVENTS[:1]
    run.finish(Conclusion.SUCCESS, time=5)


def test_a_finished_run_tells_its_end_and_its_work_is_gone(runs: RunsFolder) -> None:
    run = runs.create({"a": 1}, workflow="CI", time=1)
    deep = run.work / "job" / "module@v1"
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    (deep / "file").chmod(0o400)
    deep.chmod(0o500)
    work = run.work
    assert work.stat().st_mode & 0o777 == 0o700
    assert run.finish(Conclusion.CANCELLED, time=9, reason="by Ctrl-C") == ()
    record = runs.open().record
    assert (record.state, record.conclusion, record.finished, record.reason) == (
        RunState.FINISHED,
        Conclusion.CANCELLED,
        9,
        "by Ctrl-C",
    )
    assert not work.exists()
    assert run.plan == {"a": 1}


def test_the_record_of_a_killed_run_says_so(runs: RunsFolder) -> None:
    run = runs.create(None, workflow="CI", time=1)
    told = json.loads((run.path / "run.json").read_text())
    told["owner"] = token_of_dead_process()
    (run.path / "run.json").write_text(json.dumps(told))
    assert run.record.state is RunState.KILLED


def test_a_broken_record_is_an_error_with_its_place(runs: RunsFolder) -> None:
    run = runs.create(None, workflow="CI", time=1)
    (run.path / "run.json").write_text('{"number": ')
    assert runs.list() == ()
    with pytest.raises(InfrastructureError, match=r"run\.json"):
        _ = run.record


def test_pruning_removes_the_oldest_and_spares_the_living(runs: RunsFolder) -> None:
    made = [runs.create(None, workflow="CI", time=n) for n in range(6)]
    for run in made[:1] + made[2:]:
        run.finish(Conclusion.SUCCESS, time=9, keep_work=run is made[2])
    assert runs.prune(keep=2) == (1, 4)
    assert [record.number for record in runs.list()] == [6, 5, 3, 2]


def test_a_folder_nested_deeper_than_a_path_may_be_long_is_removed(tmp_path: Path) -> None:
    top = tmp_path / "work"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for _ in range(60):
        os.mkdir("d" * 200, dir_fd=here)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    assert remove_tree(top) == ()
    assert not top.exists()


def test_removal_does_not_follow_links(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/keep").write_text("x")
    (tmp_path / "work").mkdir()
    (tmp_path / "work/link").symlink_to(tmp_path / "mine")
    assert remove_tree(tmp_path / "work") == ()
    assert (tmp_path / "mine/keep").exists()


def test_this_process_is_alive_and_one_that_ended_is_not() -> None:
    assert is_owner_alive(owner_token())
    assert not is_owner_alive(token_of_dead_process())


def test_a_process_that_took_over_the_id_is_another_owner() -> None:
    parts = owner_token().split("/")
    assert not is_owner_alive("/".join([*parts[:5], "12345"]))


def test_owners_elsewhere_count_as_alive_and_nonsense_does_not() -> None:
    parts = owner_token().split("/")
    assert is_owner_alive("/".join([parts[0], "other-host", *parts[2:]]))
    assert not is_owner_alive("/".join([*parts[:2], "another-boot", *parts[3:]]))
    assert not is_owner_alive("")
    assert not is_owner_alive("1234")


@pytest.mark.parametrize("name", ["..", "a/b", "", "x" * 500, "\u00e9\n", "#1", ".git", "con fig"])
def test_folder_names_are_safe_whatever_the_name(name: str) -> None:
    safe = folder_name(name)
    assert safe.isascii()
    assert not set(safe) & set("/\\ \n\0")
    assert not safe.startswith(".")
    assert 0 < len(safe) <= 120


def test_different_names_get_different_folders() -> None:
    names = ["build", "build#3", "build.3", "build%233", "#3", "%233", "x" * 200, "x" * 201]
    assert len({folder_name(name) for name in names}) == len(names)


def token_of_dead_process() -> str:
    code = "from pawl.adapters.runs_folder import owner_token; print(owner_token())"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return told.stdout.strip()
