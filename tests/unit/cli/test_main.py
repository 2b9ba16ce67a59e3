"""The entry point, before and after the command line proper."""

from __future__ import annotations

import pytest

from pawl.cli import application, main
from pawl.cli.exits import ExitCode


def test_ctrl_c_before_a_command_could_take_care_of_it_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(_arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(application, "run", interrupted)
    assert main.main(["run"]) == ExitCode.INTERRUPTED


def test_the_version_needs_no_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--version"]) == ExitCode.SUCCESS
    assert capsys.readouterr().out.startswith("pawl ")
