from __future__ import annotations

import pytest

from pawl.core.model.status import FailureClass
from pawl.engine.execution.steps.end import StepEnd, end_of
from pawl.ports.executor import Exit


@pytest.mark.parametrize(
    ("exit_", "reason", "failure_class"),
    [
        (Exit(code=2), "exit code 2", FailureClass.USER),
        (Exit(code=137, signal=9), "killed by SIGKILL (exit code 137)", FailureClass.USER),
        (Exit(code=170, signal=42), "killed by signal 42 (exit code 170)", FailureClass.USER),
        (Exit(code=137, signal=9, out_of_memory=True), "out of memory", FailureClass.USER),
        (Exit(code=127, reason="no such program"), "no such program", FailureClass.USER),
        (Exit(code=137, reason="lost"), "lost", FailureClass.INFRASTRUCTURE),
        (Exit(code=0, reason="odd"), "odd", FailureClass.USER),
    ],
)
def test_the_end_of_a_process_is_told_in_words(exit_: Exit, reason: str, failure_class: FailureClass) -> None:
    end = end_of(exit_)

    assert not end.succeeded
    assert end.reason.startswith(reason)
    assert end.failure_class is failure_class


def test_exit_code_zero_is_success_unless_a_command_failed() -> None:
    end = end_of(Exit(code=0))

    assert end == StepEnd(succeeded=True, exit_code=0)
    assert end.failed_by([]) is end
    assert end.failed_by(["bad file", "another"]).reason == "bad file"


def test_the_exit_code_outweighs_a_failing_command() -> None:
    assert end_of(Exit(code=3)).failed_by(["bad file"]).reason == "exit code 3"
