from __future__ import annotations

import dataclasses
import subprocess
import sys
import tomllib
import typing
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pawl.cli.application import COMMANDS, pawl, run
from pawl.cli.errors import run_guarded
from pawl.cli.examples import ExampleCommand
from pawl.cli.exits import ExitCode
from pawl.cli.main import main
from pawl.cli.version import VERSION
from pawl.core.model.errors import InfrastructureError, InternalError, TransientError, UsageError
from pawl.core.model.run_events import RunEvent, type_name
from tools.generate_cli_reference import draw_reference

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs" / "reference"


def raising(error: BaseException) -> int:
    def command() -> None:
        raise error

    return run_guarded(command)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("no such thing", hint="look"), ExitCode.USAGE, "error: no such thing\nhint: look\n"),
        (InfrastructureError("no engine"), ExitCode.FAULT, "error: no engine\n"),
        (TransientError("later"), ExitCode.FAULT, "error: later\n"),
        (click.UsageError("bad option."), ExitCode.USAGE, "error: bad option\n"),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, "error: interrupted\n"),
        (click.Abort(), ExitCode.INTERRUPTED, "error: interrupted\n"),
        (FileNotFoundError(2, "No such file", "x.yml"), ExitCode.FAULT, "error: x.yml: No such file\n"),
        (ExceptionGroup("", [UsageError("inner")]), ExitCode.USAGE, "error: inner\n"),
        (SystemExit(2), ExitCode.USAGE, ""),
        (UsageError("evil \x1b[2J\x1b]0;t\x07text"), ExitCode.USAGE, "error: evil text\n"),
    ],
)
def test_every_error_has_a_message_and_an_exit_code(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert raising(error) == code
    captured = capsys.readouterr()
    assert captured.err == said
    assert captured.out == ""


@pytest.mark.parametrize(
    "error", [RuntimeError("boom"), InternalError("boom"), MemoryError(), RecursionError()]
)
def test_a_fault_of_ours_says_how_to_report_it(
    error: BaseException, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PAWL_DEBUG", raising=False)
    assert raising(error) == ExitCode.FAULT
    said = capsys.readouterr().err
    assert "Please report it" in said
    assert "Traceback" not in said


def test_debug_shows_the_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAWL_DEBUG", "1")
    raising(UsageError("wrong"))
    assert "Traceback" in capsys.readouterr().err


def test_what_a_command_returns_is_the_exit_code() -> None:
    assert run_guarded(lambda: ExitCode.FAILED) == 1
    assert run_guarded(lambda: None) == 0


def test_an_unknown_command_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["valdate"]) == ExitCode.USAGE
    assert "did you mean `validate`?" in capsys.readouterr().err


def test_without_a_command_the_help_is_shown_and_it_is_wrong_use(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([]) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Usage: pawl")


def test_an_unknown_option_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "--hlep"]) == ExitCode.USAGE
    assert "--help" in capsys.readouterr().err


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pawl {project['version']}\n"
    assert project["version"] == VERSION


@pytest.mark.parametrize(
    ("argument", "forbidden"),
    [("--version", {"click", "rich", "yaml"}), ("--help", {"rich", "yaml", "aiohttp"})],
)
def test_asking_for_little_imports_little(argument: str, forbidden: set[str]) -> None:
    script = f"import sys; from pawl.cli.main import main; main(['{argument}']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert not loaded & forbidden


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches_by_examples(name: str) -> None:
    command = pawl.get_command(click.Context(pawl), name)
    assert isinstance(command, ExampleCommand)
    assert command.name == name
    assert command.examples
    shown = CliRunner().invoke(pawl, [name, "--help"]).output
    for typed, _ in command.examples:
        assert typed in shown


def test_the_reference_of_the_command_line_is_current() -> None:
    """Run `python tools/generate_cli_reference.py > docs/reference/cli.md` when this fails."""
    assert (DOCS / "cli.md").read_text() == draw_reference()


def test_every_event_and_field_is_documented() -> None:
    text = (DOCS / "events.md").read_text()
    for kind in typing.get_args(RunEvent):
        section = text.split(f"## `{type_name(kind)}`", 1)[1].split("\n## ", 1)[0]
        for field in dataclasses.fields(kind):
            assert f"`{field.name}`" in section


def test_every_exit_code_is_documented() -> None:
    text = (DOCS / "exit-codes.md").read_text()
    for code in ExitCode:
        assert f"| `{int(code)}` |" in text
