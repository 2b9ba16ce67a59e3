"""How the work of a step ended, whatever kind of step it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pawl.core.model.status import FailureClass
from pawl.ports.executor import Exit

_SIGNALS = {1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
            9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 15: "SIGTERM"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnd:
    """How it ended, before cancellation, time limits and `continue-on-error` are looked at.

    Attributes:
        succeeded: exit code 0 and no failing command.
        reason: why it failed, in words.
        outputs: by name; Untrusted where outsiders had a hand in them.
        failure_class: whose fault it was, where it failed.
        is_logged: whether the log says already why it failed.
    """

    succeeded: bool
    reason: str = ""
    exit_code: int | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    failure_class: FailureClass | None = None
    is_logged: bool = False

    def failed_by(self, reasons: list[str]) -> StepEnd:
        """Return it as failed, if there are reasons and it had not failed already."""
        if not reasons or not self.succeeded:
            return self
        return replace(self, succeeded=False, reason=reasons[0], failure_class=FailureClass.USER)


def failed(reason: str, failure_class: FailureClass = FailureClass.USER) -> StepEnd:
    """Return the end of a step that failed without a process."""
    return StepEnd(succeeded=False, reason=reason, failure_class=failure_class)


def end_of(exit_: Exit) -> StepEnd:
    """Return the end of a step whose process ended so."""
    if exit_.code == 0 and exit_.reason is None and not exit_.out_of_memory:
        return StepEnd(succeeded=True, exit_code=0)
    is_lost = exit_.reason is not None and exit_.code == 137
    return StepEnd(
        succeeded=False,
        reason=exit_reason(exit_),
        exit_code=exit_.code,
        failure_class=FailureClass.INFRASTRUCTURE if is_lost else FailureClass.USER,
    )


def exit_reason(exit_: Exit) -> str:
    """Return why a process that did not end well did not, in words."""
    if exit_.out_of_memory:
        return "out of memory: the job's memory limit killed the process"
    if exit_.reason is not None:
        return exit_.reason
    if exit_.signal is not None:
        return f"killed by {_SIGNALS.get(exit_.signal, f'signal {exit_.signal}')} (exit code {exit_.code})"
    return f"exit code {exit_.code}"
