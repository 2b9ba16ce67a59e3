"""A job's own steps, in order."""

from __future__ import annotations

from collections.abc import Callable

from pawl.core.expressions import ExpressionError, Value, to_text
from pawl.core.model.errors import UsageError
from pawl.core.steps.outcome import SKIPPED
from pawl.engine.execution.actions.perform import perform
from pawl.engine.execution.bench import Bench
from pawl.engine.execution.cancellation import Cancellation
from pawl.engine.execution.hashing import hash_files
from pawl.engine.execution.request import JobRequest
from pawl.engine.execution.steps.end import StepEnd
from pawl.engine.execution.steps.runner import StepRunner
from pawl.engine.execution.steps.scope import Scope
from pawl.engine.execution.steps.telling import display_name
from pawl.engine.execution.telling import JobReport


def hash_files_function(bench: Bench) -> Callable[..., Value]:
    """Return the function `hashFiles` for the job's workspace; a fault in its use is an ExpressionError."""
    machine = bench.machine

    def call(*arguments: Value) -> Value:
        try:
            return hash_files(
                [to_text(argument) for argument in arguments],
                machine.folder.workspace,
                monotonic=bench.clock.monotonic,
                inside=machine.sandbox.workspace,
                home=machine.sandbox.home,
            )
        except UsageError as error:
            raise ExpressionError(f"hashFiles: {error.message}") from error

    return call


async def run_job_steps(
    job: JobRequest, bench: Bench, scope: Scope, report: JobReport, cancellation: Cancellation
) -> tuple[StepRunner, int]:
    """Run all steps; how they ended is in `scope`. Return the runner and the index of the next step."""
    functions = {"hashfiles": hash_files_function(bench)}
    runner = StepRunner(bench, perform, functions)
    index = 0
    for index, step in enumerate(job.planned.steps, start=1):
        teller = report.step(index, step.id)
        if cancellation.at_once:
            scope.record(step, SKIPPED, StepEnd(succeeded=True))
            teller.skipped(display_name(step), f"the job was ended at once: {cancellation.reason}", ())
        else:
            await runner.run_step(step, scope, teller, cancellation)
    return runner, index + 1
