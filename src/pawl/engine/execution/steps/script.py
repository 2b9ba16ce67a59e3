"""`run:` steps: a script file, the shell that runs it, and the header in the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from pawl.core.diagnostics import Span
from pawl.core.expressions import ExpressionError, evaluate, is_untrusted, to_text
from pawl.core.model.errors import UsageError
from pawl.core.steps.scripts import Evaluated, ScriptPart, build_script
from pawl.core.steps.shells import ShellCommand, shell_command
from pawl.engine.execution.bench import Bench
from pawl.engine.execution.steps.end import StepEnd
from pawl.engine.execution.steps.evaluation import settle, template_of
from pawl.engine.execution.steps.place import StepPlace
from pawl.engine.execution.steps.process import Work, run_work

MAX_SHOWN = 200
"""Lines of a script, and characters of a variable, that the header shows."""


async def run_script(place: StepPlace, bench: Bench) -> StepEnd:
    """Run the script of a step and return how it ended.

    Raises:
        UsageError: the shell is none, a template cannot be evaluated, or a value that outsiders control
            stands where it could become part of a command (M8).
        InfrastructureError: the sandbox is gone, or a file cannot be written.
    """
    step, machine = place.step, bench.machine
    shell = shell_command(_shell(place), in_container=machine.in_container, available=machine.programs)
    parts = await settle(lambda: _evaluated(place), step.run)
    script = build_script(parts, shell.kind)
    if script.diagnostics:
        told = "; ".join(
            found.message + (f" ({found.hint})" if found.hint else "") for found in script.diagnostics
        )
        raise UsageError(told)
    text = script.text
    place.files.make()
    path = place.files.write_script(f"script{shell.extension}", shell.fix_up(text))
    inside = machine.sandbox.inside(path)
    place.log.write_group(_title(text), _header(text, shell, place.env))
    work = Work(
        argv=shell.argv_for(inside),
        cwd=_working_directory(place, machine.sandbox.workspace),
        written=(path,),
        env=script.env,
        untrusted=any(isinstance(part, Evaluated) and is_untrusted(part.value) for part in parts),
    )
    return await run_work(work, place, bench)


def _evaluated(place: StepPlace) -> list[ScriptPart]:
    """Return the script taken apart, every expression evaluated; values keep their marks of distrust."""
    text, evaluator = place.step.run or "", place.evaluator
    span = Span.at(place.step.line, 1)
    try:
        return [
            part
            if isinstance(part, str)
            else Evaluated(
                value=to_text(
                    evaluate(
                        part.expression, evaluator.contexts, functions=evaluator.functions, trace=False
                    ).value
                ),
                source=part.expression.text,
                span=span,
            )
            for part in template_of(text).parts
        ]
    except ExpressionError as error:
        raise UsageError(f"`run` cannot be used: {error}") from error


def _shell(place: StepPlace) -> str | None:
    written = place.step.shell if place.step.shell is not None else place.scope.defaults.shell
    shell = place.evaluator.text(written, where="shell") if written else None
    if shell is not None and is_untrusted(shell):
        raise UsageError(
            "`shell` holds a value that outsiders control (untrusted-in-script)",
            hint="name the shell in the workflow itself",
        )
    if not shell and place.scope.is_inner:
        raise UsageError("a `run` step of an action must name a `shell`", hint="add `shell: bash`")
    return shell


def _working_directory(place: StepPlace, workspace: str) -> str:
    written = place.step.working_directory or place.scope.defaults.working_directory
    folder = place.evaluator.text(written, where="working-directory") if written else ""
    return str(PurePosixPath(workspace) / folder) if folder else workspace


def _title(text: str) -> str:
    first = next(iter(text.strip().splitlines()), "")
    return f"Run {first}"[:MAX_SHOWN]


def _header(text: str, shell: ShellCommand, env: Mapping[str, str]) -> Iterator[str]:
    """Yield what the runner prints before a script: the script, the shell, the environment."""
    lines = text.rstrip("\n").splitlines()
    yield from lines[:MAX_SHOWN]
    if len(lines) > MAX_SHOWN:
        yield f"... and {len(lines) - MAX_SHOWN} more lines"
    yield f"shell: {' '.join(shell.argv)}"
    if env:
        yield "env:"
        for name, value in env.items():
            shown = value.splitlines()[0][:MAX_SHOWN] if value else ""
            yield f"  {name}: {shown}{' ...' if len(shown) < len(value) else ''}"
