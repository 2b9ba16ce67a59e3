"""`pawl run` and the commands that read a run, on the host executor: output, exit codes, Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pawl.cli.main import main

WORKFLOW = """\
name: CI
on: [push, workflow_dispatch]
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Build
        run: |
          echo "::group::Compiling"
          cat input.txt
          echo "::endgroup::"
          printf 'evil \\033[2J\\033]0;title\\007text\\n'
      - name: Only for pull requests
        if: github.event_name == 'pull_request'
        run: echo never
  check:
    runs-on: ubuntu-latest
    steps:
      - name: Check
        run: |
          echo "secret is $TOKEN, variable is ${{ vars.WHO }}"
          for i in 1 2 3; do echo "line $i"; done
          echo oops >&2
          exit ${CODE:-3}
        env:
          TOKEN: ${{ secrets.TOKEN }}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("PAWL_DATA", str(tmp_path / "no-server"))
    monkeypatch.setenv("PAWL_EXECUTOR", "host")
    (tmp_path / ".ci.yml").write_text(WORKFLOW)
    (tmp_path / "input.txt").write_text("from the tree\n")
    return tmp_path


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_run_that_succeeds_ends_with_0_and_leaves_only_its_record(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = outcome(capsys, "run", "-j", "build")
    assert code == 0
    assert "[build]   from the tree" in out
    assert "▾ Compiling" in out
    assert "evil text" in out
    assert "\x1b" not in out
    assert "CI succeeded in" in out
    assert "pawl logs 1" in out
    assert "[check]" not in out
    kept = {path.name for path in (project / ".pawl/runs/1").iterdir()}
    assert "work" not in kept
    assert {"run.json", "events.jsonl", "jobs"} <= kept
    assert sorted(path.name for path in project.iterdir()) == [".ci.yml", ".pawl", "input.txt"]


def test_a_run_that_fails_ends_with_1_and_says_what_to_type_next(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "hunter2hunter2")
    code, out, _ = outcome(capsys, "run", "--secret", "TOKEN", "--var", "WHO=me")
    assert code == 1
    summary = out[out.index("CI failed in") :]
    assert "First failure: check" in summary
    assert "Check: exit code 3" in summary
    assert "│ secret is ***, variable is me" in summary
    assert "│ oops" in summary
    assert "pawl logs 1 --failed" in summary
    assert "hunter2" not in out
    assert b"hunter2" not in b"".join(
        path.read_bytes() for path in (project / ".pawl").rglob("*") if path.is_file()
    )


def test_json_is_nothing_but_events(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = outcome(capsys, "run", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert events[0]["type"] == "run_started"
    assert events[-1]["type"] == "run_finished"
    assert events[-1]["conclusion"] == "failure"


def test_what_a_run_did_can_be_read_afterwards(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome(capsys, "run")
    _, out, _ = outcome(capsys, "logs", "--failed", "--tail", "2")
    assert out.splitlines() == ["oops", "Error: Exit code 3"]
    _, out, _ = outcome(capsys, "logs", "1", "-j", "check", "--step", "check", "--grep", "line [12]")
    assert out.splitlines() == ["line 1", "line 2"]
    _, out, _ = outcome(capsys, "logs", "--step", "Check", "--grep", "^line 1$", "--timestamps")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z line 1\n", out)
    _, out, _ = outcome(capsys, "logs", "--step", "Check", "--grep", "^line 1$", "--json")
    assert json.loads(out)["text"] == "line 1"
    _, out, _ = outcome(capsys, "logs", "-j", "build", "--step", "Build", "--grep", "Compiling|evil")
    assert out.splitlines()[-1] == "evil text", "not indented: the end of the group does not match"
    _, out, _ = outcome(capsys, "logs", "--follow", "-j", "build", "--step", "Build", "--grep", "tree")
    assert out == "[build] from the tree\n"
    _, out, _ = outcome(capsys, "why", "1", "build")
    assert "Only for pull requests  skipped" in out
    assert "github.event_name  =>  'push'" in out
    _, out, _ = outcome(capsys, "why", "check/Check")
    assert "failure" in out
    assert "exit code 3" in out
    _, out, _ = outcome(capsys, "runs", "--json")
    assert [(run["number"], run["conclusion"]) for run in json.loads(out)] == [(1, "failure")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("logs", "9"), "There is no run 9"),
        (("logs", "-j", "chek"), "did you mean `check`?"),
        (("logs", "--step", "Chek"), "did you mean `Check`?"),
        (("logs", "--grep", "("), "is no regular expression"),
        (("why", "1", "nope"), "the run has no job `nope`"),
        (("shell", "check", "--run", "1"), "run 1 kept no container"),
    ],
)
def test_what_a_run_does_not_have_is_said(
    arguments: tuple[str, ...], said: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome(capsys, "run")
    code, _, err = outcome(capsys, *arguments)
    assert code == 2
    assert said in err


def test_an_engine_that_cannot_be_reached_ends_with_3(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{project}/no.sock")
    code, _, err = outcome(capsys, "run", "--executor", "docker")
    assert code == 3
    assert "--executor host" in err
    assert not (project / ".pawl").exists()


def test_auto_says_aloud_that_it_runs_without_isolation(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{project}/no.sock")
    code, _, err = outcome(capsys, "run", "--executor", "auto", "-j", "build")
    assert code == 0
    assert "no isolation" in err


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("sytem=a", "did you mean `system`?"), ("system=c", "it is a, b"), ("x", "not of the form name=value")],
)
def test_a_matrix_that_does_not_exist_is_refused(
    wanted: str, said: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix = "    strategy:\n      matrix:\n        system: [a, b]\n    steps:\n      - uses"
    (project / ".ci.yml").write_text(WORKFLOW.replace("    steps:\n      - uses", matrix))
    code, out, err = outcome(capsys, "run", "--matrix", wanted)
    assert (code, out) == (2, "")
    assert said in err
    code, out, _ = outcome(capsys, "run", "-j", "build", "--matrix", "system=b")
    assert code == 0
    assert "build (b)" in out
    assert "build (a)" not in out


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (("os=a", "n=2"), "no combination of a matrix has os=a, n=2"),
        (("later=9",), "no job has `later=9`"),
        (("later=1",), ""),
    ],
)
def test_a_matrix_filter_that_leaves_nothing_is_never_a_green_run(
    wanted: tuple[str, ...], said: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix = "{matrix: {os: [a, b], n: [1, 2], exclude: [{os: a, n: 2}]}}"
    steps = "runs-on: x\n    steps: [{run: 'true'}]"
    known = f"on: push\njobs:\n  a:\n    strategy: {matrix}\n    {steps}\n"
    later = "{matrix: {later: '${{ fromJSON(needs.a.outputs.v) }}'}}"
    unknown = f"  b:\n    needs: a\n    strategy: {later}\n    {steps}\n"
    outputs = known.replace("    strategy", "    outputs: {v: '[1]'}\n    strategy")
    (project / ".ci.yml").write_text(known if len(wanted) == 2 else outputs + unknown)
    options = [word for each in wanted for word in ("--matrix", each)]
    code, _, err = outcome(capsys, "run", *options)
    assert code == (2 if said else 0)
    assert said in err


def test_a_call_says_that_calls_do_not_run_yet(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called = "on: workflow_call\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}\n"
    (project / ".github/workflows").mkdir(parents=True)
    (project / ".github/workflows/called.yml").write_text(called)
    (project / ".ci.yml").write_text("on: push\njobs: {c: {uses: ./.github/workflows/called.yml}}\n")
    code, out, _ = outcome(capsys, "run", ".ci.yml")
    assert code == 1
    assert "calls the workflow `./.github/workflows/called.yml`; calls come with a later version" in out


def test_a_workflow_with_faults_does_not_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / ".ci.yml").write_text(WORKFLOW.replace("runs-on", "run-on"))
    code, out, err = outcome(capsys, "run")
    assert (code, out) == (2, "")
    assert "did you mean `runs-on`?" in err


def test_several_started_workflows_are_listed_and_none_runs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".ci").mkdir()
    (project / ".ci/other.yml").write_text(WORKFLOW.replace("name: CI", "name: Other"))
    code, _, err = outcome(capsys, "run")
    assert code == 2
    assert "push starts 2 workflows: `.ci.yml`, `.ci/other.yml`" in err
    assert outcome(capsys, "run", "other", "-j", "build")[0] == 0


def test_a_broken_pipe_does_not_stop_the_run(project: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "pawl.cli.main", "run", "-j", "build"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


SLOW = """\
on: push
jobs:
  slow:
    runs-on: ubuntu-latest
    steps:
      - run: |
          trap 'echo interrupted; exit 1' INT
          while :; do echo tick; sleep 0.05; done
      - if: cancelled()
        run: |
          trap '' INT TERM
          while :; do echo stubborn; sleep 0.05; done
"""


def test_ctrl_c_is_polite_first_and_prompt_second(project: Path) -> None:
    (project / ".ci.yml").write_text(SLOW)
    with subprocess.Popen(
        [sys.executable, "-m", "pawl.cli.main", "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = iter(process.stdout)
        assert any(line == "[slow] tick\n" for line in lines)
        process.send_signal(signal.SIGINT)
        assert any(line == "[slow] interrupted\n" for line in lines)
        assert any(line == "[slow] stubborn\n" for line in lines)
        process.send_signal(signal.SIGINT)
        rest = "".join(lines)
        assert process.wait() == 130
        assert "was cancelled" in rest
        assert "Ctrl-C again" in process.stderr.read()
    assert not (project / ".pawl/runs/1/work").exists()
    record = json.loads((project / ".pawl/runs/1/run.json").read_text())
    assert record["conclusion"] == "cancelled"


def test_what_a_run_cannot_do_as_asked_is_noted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = outcome(capsys, "run", "-j", "build", "--keep-on-failure")
    assert "note: --keep-on-failure keeps containers; on this machine itself there are none" in err
    code, _, err = outcome(capsys, "run", "-j", "build", "--event", "schedule")
    assert code == 0
    assert "note: schedule would not start this workflow: the workflow does not listen to `schedule`" in err


def test_a_run_from_a_folder_below_is_the_same_run(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "below").mkdir()
    monkeypatch.chdir(project / "below")
    code, out, _ = outcome(capsys, "run", "-j", "build")
    assert code == 0
    assert "from the tree" in out
    assert (project / ".pawl/runs/1").is_dir()
    assert not (project / "below/.pawl").exists()
