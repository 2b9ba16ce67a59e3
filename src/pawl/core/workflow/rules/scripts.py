"""Scripts and what runs them: shells, timeouts, commands of the past."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pawl.core.diagnostics import Diagnostic
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.workflow.fields import number_of
from pawl.core.workflow.nodes import Node, Scalar
from pawl.core.workflow.rules.subject import Subject, steps_of, warning
from pawl.core.workflow.syntax import RunStep

SHELLS = ("bash", "sh", "pwsh", "powershell", "cmd", "python")
"""Shells that go by their name (GitHub docs, `jobs.<job_id>.steps[*].shell`)."""

_OLD_COMMAND = re.compile(r"::(set-output|save-state|set-env|add-path)(?: [^:\n]{0,200})?::")
_INSTEAD = {
    "set-output": "GITHUB_OUTPUT",
    "save-state": "GITHUB_STATE",
    "set-env": "GITHUB_ENV",
    "add-path": "GITHUB_PATH",
}


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield `shell`, `timeout` and `deprecated-command`."""
    yield from _check_shell(subject.workflow.defaults.shell)
    for job in subject.jobs:
        yield from _check_shell(job.defaults.shell)
        yield from _check_timeout(job.timeout_minutes)
        yield from _check_timeout(job.cancel_timeout_minutes)
        for step in steps_of(job):
            yield from _check_timeout(step.common.timeout_minutes)
            if isinstance(step, RunStep):
                yield from _check_shell(step.shell)
                yield from _check_commands(step)


def _check_shell(shell: Scalar | None) -> Iterator[Diagnostic]:
    if shell is None or "${{" in shell.text:
        return
    name = shell.text.strip()
    if name.lower() not in SHELLS and "{0}" not in name:
        expected = f"one of {', '.join(SHELLS)}, or a command that holds `{{0}}`"
        message = f"found the shell `{name[:60]}`, expected {expected}"
        yield warning(
            "shell", message, shell.span, did_you_mean(name, SHELLS) or f"write `{name[:40]} {{0}}`"
        )


def _check_timeout(timeout: Node | None) -> Iterator[Diagnostic]:
    number = number_of(timeout)
    if number is not None and timeout is not None and not number > 0:
        # GitHub's parser takes it, and the runner then sets no limit (actions/runner, StepsRunner.cs).
        message = f"found a timeout of {number:g} minutes, which is no limit; expected more than none"
        yield warning("timeout", message, timeout.span, "leave the key out for the usual limit")


def _check_commands(step: RunStep) -> Iterator[Diagnostic]:
    found = _OLD_COMMAND.search(step.run.text)
    if found is not None:
        name = found.group(1)
        place = step.run.locate(found.start())
        message = f"the command `::{name}::` is deprecated"
        span = type(step.run.span)(place, step.run.locate(found.start() + len(name) + 2))
        yield warning("deprecated-command", message, span, f"write to the file `${_INSTEAD[name]}`")
