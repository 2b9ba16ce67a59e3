"""The commands that look and do not run, on a project on disk; each exit code and each output format."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from pawl.cli.main import main

GOOD = """\
name: CI
on:
  push:
    branches: [main]
  pull_request:
jobs:
  lint:
    runs-on: ubuntu-latest
    steps:
      - run: echo lint
      - name: Only for pull requests
        if: github.event_name == 'pull_request'
        run: echo pr
      - name: On failure
        if: failure()
        run: echo failed
  test:
    needs: lint
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: ['3.11', '3.12']
    steps:
      - run: echo ${{ matrix.python }}
      - uses: actions/setup-python@v5
"""
BAD = GOOD.replace("needs: lint", "needs: lnt").replace("run: echo lint", "rnu: echo lint")
WARNED = GOOD.replace("actions/setup-python@v5", "someone/action@v1")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("PAWL_DATA", str(tmp_path / "no-server"))
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".github/workflows/ci.yml").write_text(GOOD)
    return tmp_path


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_project_without_faults_passes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = outcome(capsys, "validate")
    assert (code, out) == (0, "")
    assert err == "1 file checked: no problems\n"


def test_all_faults_are_shown_at_once_with_their_places(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "bad.yml").write_text(BAD)
    code, out, err = outcome(capsys, "validate", "bad.yml", ".github/workflows/ci.yml")
    assert code == 1
    assert "bad.yml:10:9: error[unknown-key]" in out
    assert "   10 | " in out.replace("│", "|")
    assert "hint: did you mean `run`?" in out
    assert "error[unknown-need]" in out
    assert "2 files checked" in err


def test_every_format_tells_the_same_findings(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "bad.yml").write_text(BAD)
    found: dict[str, Any] = {}
    for kind in ("json", "sarif", "github"):
        code, out, _ = outcome(capsys, "validate", "--format", kind, "bad.yml")
        assert code == 1
        found[kind] = out
    codes = [one["code"] for one in json.loads(found["json"])["diagnostics"]]
    sarif = json.loads(found["sarif"])["runs"][0]
    assert [one["ruleId"] for one in sarif["results"]] == codes
    assert all(rule["shortDescription"]["text"] for rule in sarif["tool"]["driver"]["rules"])
    assert [line.split("title=")[1].split("::")[0] for line in found["github"].splitlines()] == codes


def test_warnings_fail_only_when_asked(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "w.yml").write_text(WARNED)
    assert outcome(capsys, "validate", "w.yml")[0] == 0
    assert outcome(capsys, "validate", "--strict", "w.yml")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("validate", "none.yml"), 2, "there is no file `none.yml`"),
        (("validate", "empty"), 2, "no workflow found in the folder `empty`"),
        (("validate", "--format", "xml"), 2, "'xml' is not one of"),
        (("plan", "nope"), 2, "there is no workflow `nope`"),
        (("plan", "--event", "psh"), 2, "did you mean `push`?"),
        (("plan", "--input", "x"), 2, "not of the form name=value"),
        (("plan", "--event-file", "none.json"), 2, "there is no file"),
        (("run", "--executor", "host", "ci", "-j", "nope"), 2, "there is no job `nope`"),
        (("run", "--executor", "host", "ci", "-j", "lnt"), 2, "did you mean `lint`?"),
        (("run", "--secret", "A=b"), 2, "--secret takes a name"),
        (("logs",), 2, "No run is kept here yet"),
        (("logs", "x"), 2, "`x` is no run number"),
        (("shell",), 2, "no run kept a container"),
        (("eval", "github."), 2, "error[expression-syntax]"),
        (("eval", "fromJSON('{')"), 2, "error["),
        (("eval", "contian('a', 'b')"), 2, "did you mean `contains`?"),
        (("eval", "gihub.ref"), 2, "did you mean `github`?"),
        (("eval", "1", "--context", "none.json"), 2, "there is no file"),
        (("completion", "tcsh"), 2, "is not one of"),
        (("frobnicate",), 2, "no command `frobnicate`"),
    ],
)
def test_wrong_use_is_said_and_ends_with_2(
    arguments: tuple[str, ...], code: int, said: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "empty").mkdir()
    found, out, err = outcome(capsys, *arguments)
    assert (found, out) == (code, "")
    assert said in err
    assert "Traceback" not in err


def test_a_folder_without_workflows_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("validate", "plan", "run"):
        code, _, err = outcome(capsys, command)
        assert code == 2
        assert "no workflow found" in err


def test_wrong_settings_stop_every_command(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pawl.toml").write_text("[run]\njbos = 3\n")
    code, _, err = outcome(capsys, "plan")
    assert code == 2
    assert "pawl.toml:2: unknown setting `run.jbos`" in err
    assert "did you mean `jobs`?" in err


def test_a_plan_says_what_would_run_and_why(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = outcome(capsys, "plan", "--branch", "main")
    assert code == 0
    assert "starts" in out
    assert "3 On failure  decided later: it runs only if a step before it fails" in out
    assert "2 Only for pull requests  skipped: its condition is false" in out
    assert "github.event_name  =>  'push'" in out
    assert "matrix: 2 jobs: test (3.11), test (3.12)" in out
    assert "not supported: " in out
    assert "starts 1 of 1 workflow" in err


def test_a_plan_names_the_filter_that_decided(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = outcome(capsys, "plan", "--branch", "topic")
    assert "does not start: branch `topic` matches no pattern of `branches`" in out
    assert "lint" not in out
    assert "starts 0 of 1 workflow" in err


def test_a_plan_as_json_has_jobs_and_step_outlooks(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = outcome(capsys, "plan", "--event", "pull_request", "--json")
    (plan,) = json.loads(out)
    lint = plan["jobs"][0]
    assert plan["trigger"]["outlook"] == "runs"
    assert [step["outlook"] for step in lint["step_outlooks"]] == ["runs", "runs", "decided_later"]


def test_a_plan_as_dot_is_a_graph(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = outcome(capsys, "plan", "--dot")
    assert out.startswith("digraph")
    assert '"lint" -> "test"' in out


def test_why_for_an_event_that_starts_nothing_does_not_say_that_it_does(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = outcome(capsys, "why", "--event", "schedule")
    assert "does not start: the workflow does not listen to `schedule`" in out
    assert "Were it to start, this is what its jobs would do:" in out


def test_a_misspelt_variable_is_noted(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAWL_EXECUTER", "host")
    code, _, err = outcome(capsys, "validate")
    assert (code, "did you mean PAWL_EXECUTOR?" in err) == (0, True)


def test_why_without_a_run_tells_what_would_happen(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = outcome(capsys, "why")
    assert code == 0
    assert "github.event_name == 'pull_request'" in out


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (("contains('abc', 'b')",), "true\n"),
        (("1 + ",), None),
        (("github.ref_name", "--branch", "topic"), "topic\n"),
        (("v${{ 1 }}-${{ github.event_name }}",), "v1-push\n"),
        (("vars.A", "--var", "A=x=y"), "x=y\n"),
        (("fromJSON('[1]')",), "[\n  1\n]\n"),
        (("success() && !failure()",), "true\n"),
    ],
)
def test_expressions_are_evaluated_as_in_a_workflow(
    arguments: tuple[str, ...], printed: str | None, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = outcome(capsys, "eval", *arguments)
    assert (code, out) == ((0, printed) if printed is not None else (2, ""))


def test_contexts_from_a_file_go_before_the_made_up_ones(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "c.json").write_text('{"matrix": {"os": "linux"}, "github": {"ref": "x"}}')
    assert outcome(capsys, "eval", "matrix.os", "--context", "c.json")[1] == "linux\n"
    _, out, _ = outcome(capsys, "eval", "github.ref == 'X'", "--context", "c.json", "--trace")
    assert out.splitlines() == ["true", "  github.ref == 'X'  =>  true", "    github.ref  =>  'x'"]
    _, out, _ = outcome(capsys, "eval", "github.ref", "--context", "c.json", "--json")
    assert json.loads(out)["value"] == "x"


def test_the_starter_workflow_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert outcome(capsys, "init")[0] == 0
    written = (tmp_path / ".github/workflows/ci.yml").read_text()
    assert outcome(capsys, "validate", "--strict")[0] == 0
    code, _, err = outcome(capsys, "init")
    assert code == 2
    assert "already" in err
    assert (tmp_path / ".github/workflows/ci.yml").read_text() == written
    assert outcome(capsys, "init", "--print")[1] == written


def test_a_file_name_that_is_no_utf8_is_no_error(project: Path) -> None:
    name = b"wi\xe4ndows.yml"
    (Path(os.fsdecode(os.fsencode(project) + b"/" + name))).write_text(BAD)
    for kind in ("text", "json", "sarif", "github"):
        command = [sys.executable, "-m", "pawl.cli.main", "validate", "--format", kind, name]
        checked = subprocess.run(command, capture_output=True, check=False)
        assert checked.returncode == 1, checked.stderr
    uri = "wi%E4ndows.yml"
    checked = subprocess.run([*command[:-2], "sarif", name], capture_output=True, check=False)
    result = json.loads(checked.stdout)["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_a_folder_that_is_gone_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for command in ("validate", "plan", "run", "runs", "doctor", "init"):
        code, _, err = outcome(capsys, command)
        assert (code, "the current folder does not exist any more" in err) == (2, True)
    monkeypatch.chdir(tmp_path)


def test_a_workflow_for_an_event_that_does_not_exist_shows_the_place(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "wrong.yml").write_text(GOOD.replace("push:", "psh:"))
    for command in ("run", "plan"):
        code, _, err = outcome(capsys, command, "wrong.yml")
        assert code == 2
        assert "wrong.yml:3:3: error[" in err


def test_a_name_that_two_workflows_have_must_be_a_path(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".github/workflows/other.yml").write_text(GOOD)
    code, _, err = outcome(capsys, "run", "CI")
    assert code == 2
    assert (
        "several workflows are called `CI`: `.github/workflows/ci.yml`, `.github/workflows/other.yml`" in err
    )
    code, _, err = outcome(capsys, "run", "--branch", "main")
    assert code == 2
    assert "push starts 2 workflows: " in err


@pytest.mark.parametrize("branch", ["trunk", "1.0", "null"])
def test_the_starter_workflow_starts_at_the_projects_own_branch(
    branch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q", "-b", branch], check=True)
    assert outcome(capsys, "init")[0] == 0
    assert "starts 1 of 1 workflow" in outcome(capsys, "plan")[2]


@pytest.mark.parametrize(
    ("files", "step"),
    [
        (("pyproject.toml", "tests/test_a.py"), "python -m pytest"),
        (("requirements.txt",), "pip install -r requirements.txt"),
        (("package.json", "package-lock.json"), "npm ci"),
        (("go.mod",), "go test ./..."),
        (("Cargo.toml",), "cargo test"),
        (("Makefile",), "make test"),
        ((), "echo"),
    ],
)
def test_the_starter_workflow_of_each_kind_of_project_is_valid(
    files: tuple[str, ...],
    step: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("test:\n\ttrue\n")
    assert step in outcome(capsys, "init", "--print")[1]
    assert outcome(capsys, "init")[0] == 0
    assert outcome(capsys, "validate", "--strict")[0] == 0
    assert outcome(capsys, "plan")[0] == 0


def test_the_schema_is_a_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = outcome(capsys, "schema")
    assert "$schema" in json.loads(out)


def test_the_doctor_names_what_is_missing_and_the_mend(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{project}/no.sock")
    code, out, _ = outcome(capsys, "doctor")
    assert code == 0
    assert "ok   python" in out
    assert "warn engine" in out
    assert "--executor host" in out
    monkeypatch.setenv("PAWL_EXECUTOR", "docker")
    code, out, _ = outcome(capsys, "doctor", "--json")
    assert code == 1
    assert {"engine": "fail"}.items() <= {one["name"]: one["mark"] for one in json.loads(out)}.items()


def test_a_reader_that_goes_away_is_no_error(project: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "pawl.cli.main", "schema"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_a_closed_stream_is_no_fault(closed: str, project: Path) -> None:
    command = f'"$0" -m pawl.cli.main plan {closed}'
    done = subprocess.run(["sh", "-c", command, sys.executable], capture_output=True, check=False)
    assert (done.returncode, b"went wrong" in done.stderr) == (0, False)


def test_a_full_disk_below_the_output_ends_with_3(project: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "pawl.cli.main", "schema"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == "error: No space left on device\n"


def test_an_encoding_without_our_signs_gets_plain_ones(project: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "pawl.cli.main", "plan", "--branch", "main"]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stdout.isascii()) == (0, True)
    assert b"  + lint  runs" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("validate", "--format", "json"),
        ("validate", "--format", "sarif"),
        ("plan", "--json"),
        ("eval", "github.ref", "--json"),
        ("runs", "--json"),
        ("doctor", "--json"),
        ("schema",),
    ],
)
def test_answers_for_programs_are_json_and_nothing_else(
    arguments: tuple[str, ...], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = outcome(capsys, "--color", "always", *arguments)
    assert code == 0
    assert isinstance(json.loads(out), dict | list)
    assert "\x1b" not in out


def test_ctrl_c_while_a_file_is_read_ends_with_130(project: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "pawl.cli.main", "validate", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell's background jobs ignore the signal, and so would this one.
        preexec_fn=_listen,  # noqa: PLW1509 - no threads here
    ) as process:
        assert process.stdin is not None
        process.stdin.write(b"on: push\n")
        process.stdin.flush()
        while struct.unpack("i", fcntl.ioctl(process.stdin, termios.FIONREAD, b"\0" * 4)) != (0,):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b"error: interrupted\n"


def _listen() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_colours_are_for_terminals_and_on_request(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b" not in outcome(capsys, "plan")[1]
    assert "\x1b[" in outcome(capsys, "--color", "always", "plan")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in outcome(capsys, "plan")[1]
