"""Running steps in order: whether each runs, when it must stop, and how it counts.

Source: actions/runner StepsRunner.cs, CompositeActionHandler.cs; the rules themselves are core.steps.outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pawl.core.expressions import ExpressionError
from pawl.core.model.durations import in_words
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.plan import PlannedStep
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.steps.outcome import (
    FAULTY_CONDITION,
    SKIPPED,
    StepResult,
    StepsState,
    finish_step,
    keeps_running,
    outcome_of,
)
from pawl.engine.execution.bench import Bench
from pawl.engine.execution.cancellation import Cancellation
from pawl.engine.execution.processes import end_task
from pawl.engine.execution.steps.command_files import CommandFiles
from pawl.engine.execution.steps.contexts import base_environment, step_contexts
from pawl.engine.execution.steps.end import StepEnd, failed
from pawl.engine.execution.steps.evaluation import Evaluator, Functions, settle
from pawl.engine.execution.steps.place import RunInner, StepPlace, Teller
from pawl.engine.execution.steps.scope import Scope
from pawl.engine.execution.steps.telling import InnerTeller, display_name, skip_reason

Perform = Callable[[StepPlace, Bench, RunInner], Awaitable[StepEnd]]
"""Does the work of one step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    """What was decided about a step before it runs: its environment, why it runs, and on what knowledge."""

    evaluator: Evaluator
    base: dict[str, str]
    own: dict[str, str]
    trace: tuple[str, ...]
    was_cancelled: bool


class StepRunner:
    """Runs the steps of one job, and those of the composite actions within."""

    def __init__(self, bench: Bench, perform: Perform, functions: Functions) -> None:
        """Take what steps work with, what does their work, and functions besides the status ones."""
        self._bench = bench
        self._perform = perform
        self._functions = functions

    async def run_step(
        self, step: PlannedStep, scope: Scope, teller: Teller, cancellation: Cancellation
    ) -> StepResult:
        """Run one step, or skip it, and record in `scope` how it ended.

        Never raises for what the workflow or the world did wrong; that fails the step.
        """
        was_cancelled = cancellation.requested
        if was_cancelled:
            scope.state = scope.state.cancel(timed_out=cancellation.timed_out)
        base = base_environment(scope, self._bench.handover.environment)
        evaluator = self.evaluator(step.id, scope, base)
        try:
            own = await settle(lambda: evaluator.mapping(step.env, where="env"), step.env)
        except UsageError as error:
            return self._refuse(step, scope, teller, error)
        evaluator = self.evaluator(step.id, scope, base | own)
        try:
            holds, trace = await settle(lambda: evaluator.condition(step.condition), step.condition)
        except ExpressionError as error:
            fault = UsageError(
                f"the condition `{step.condition_text or step.condition}` cannot be evaluated: {error}"
            )
            return self._refuse(step, scope, teller, fault)
        trace = tuple(self._bench.secrets.mask_text(line) for line in trace)
        if not holds:
            scope.record(step, SKIPPED, StepEnd(succeeded=True))
            teller.skipped(display_name(step, evaluator), skip_reason(step, scope.state), trace)
            return SKIPPED
        decided = _Decided(evaluator=evaluator, base=base, own=own, trace=trace, was_cancelled=was_cancelled)
        return await self._run(step, scope, teller, cancellation, decided)

    def evaluator(self, step: str, scope: Scope, env: dict[str, str]) -> Evaluator:
        """Return what evaluates a step's fields when its environment is `env`."""
        contexts = step_contexts(
            scope,
            step=step,
            env=env,
            job_status=scope.job_status,
            event_path=self._bench.machine.event_path,
        )
        return Evaluator(contexts=contexts, functions={**self._functions, **scope.state.functions()})

    def _refuse(self, step: PlannedStep, scope: Scope, teller: Teller, error: UsageError) -> StepResult:
        name = step.name if isinstance(step.name, str) else step.id
        log = teller.started(name)
        end = failed(error.message)
        _write_failure(log.write_line, end)
        scope.record(step, FAULTY_CONDITION, end)
        teller.finished(name, FAULTY_CONDITION, end, ())
        return FAULTY_CONDITION

    async def _run(
        self,
        step: PlannedStep,
        scope: Scope,
        teller: Teller,
        cancellation: Cancellation,
        decided: _Decided,
    ) -> StepResult:
        name = display_name(step, decided.evaluator)
        stop = Cancellation()
        place = StepPlace(
            step=step,
            scope=scope,
            evaluator=decided.evaluator,
            env=decided.base | decided.own,
            own_env=decided.own,
            files=CommandFiles(self._bench.machine.folder, "-".join((*scope.path, step.id))),
            log=teller.started(name),
            stop=stop,
        )
        async with self._watched(place, cancellation, was_cancelled=decided.was_cancelled):
            end = await self._work(place)
        outcome, end = _judge(end, stop)
        forgives = self._forgives(place) if outcome is not Conclusion.SUCCESS else False
        result = finish_step(outcome, continue_on_error=forgives)
        _write_failure(place.log.write_line, end)
        scope.record(step, result, end)
        teller.finished(name, result, end, decided.trace)
        return result

    async def _work(self, place: StepPlace) -> StepEnd:
        try:
            return await self._perform(place, self._bench, self._run_inner)
        except UsageError as error:
            return failed(_with_hint(error))
        except InfrastructureError as error:
            return failed(_with_hint(error), FailureClass.INFRASTRUCTURE)

    def _forgives(self, place: StepPlace) -> bool:
        try:
            return place.evaluator.truth(place.step.continue_on_error, where="continue-on-error")
        except UsageError as error:
            place.log.write_line(f"##[error]{error.message}")
            return False

    @asynccontextmanager
    async def _watched(
        self, place: StepPlace, cancellation: Cancellation, *, was_cancelled: bool
    ) -> AsyncIterator[None]:
        """Ask the step to stop when its time is up, or the job is cancelled and it would not run then."""
        watchers = [
            asyncio.ensure_future(self._watch_cancellation(place, cancellation, was_cancelled)),
            asyncio.ensure_future(self._watch_time(place)),
        ]
        try:
            yield
        finally:
            for watcher in watchers:
                await end_task(watcher)

    async def _watch_cancellation(
        self, place: StepPlace, cancellation: Cancellation, was_cancelled: bool
    ) -> None:
        scope, condition = place.scope, place.step.condition
        # A step that began after the cancellation was let run knowing of it.
        if not was_cancelled:
            await cancellation.wait()
            # Inside an action, the time limit of the step around it is no cancellation of the job.
            own_limit = scope.is_inner and cancellation.timed_out
            wanted = not own_limit and keeps_running(scope.state, _holds(place.evaluator, condition))
            if not own_limit:
                scope.state = scope.state.cancel(timed_out=cancellation.timed_out)
            if not wanted:
                place.stop.request(cancellation.reason, at_once=cancellation.at_once)
        await cancellation.wait_at_once()
        place.stop.request(cancellation.reason, at_once=True)

    async def _watch_time(self, place: StepPlace) -> None:
        try:
            asked = place.evaluator.seconds(place.step.timeout_minutes, where="timeout-minutes")
        except UsageError as error:
            # As the runner: said, and the step goes on under its job's limit (StepsRunner.cs).
            place.log.write_line(f"##[error]{error.message}")
            asked = None
        limit = asked if asked is not None or place.scope.is_inner else self._bench.limits.step_timeout
        if limit is not None:
            await self._bench.clock.sleep(limit)
            reason = f"timed out after {in_words(limit)} (`timeout-minutes` of the step)"
            place.stop.request(reason, timed_out=True)

    async def _run_inner(self, steps: Sequence[PlannedStep], scope: Scope, around: StepPlace) -> StepsState:
        """Run a composite action's steps; their output goes to the log of the step around them."""
        for step in steps:
            if around.stop.at_once or around.stop.timed_out:
                break
            await self.run_step(step, scope, InnerTeller(around.log), around.stop)
        return scope.state


def _holds(evaluator: Evaluator, condition: str) -> Callable[[StepsState], bool]:
    return lambda state: evaluator.with_functions(state.functions()).condition(condition)[0]


def _judge(end: StepEnd, stop: Cancellation) -> tuple[Conclusion, StepEnd]:
    """Return the outcome of a step, and its end with the reason that people want to read."""
    if not stop.requested:
        return outcome_of(succeeded=end.succeeded), end
    ended = StepEnd(
        succeeded=False,
        reason=stop.reason,
        exit_code=end.exit_code,
        outputs=end.outputs,
        failure_class=FailureClass.USER,
    )
    return (Conclusion.TIMED_OUT if stop.timed_out else outcome_of(succeeded=False, stopped=True)), ended


def _write_failure(write: Callable[[str], None], end: StepEnd) -> None:
    if not end.succeeded and end.reason and not end.is_logged:
        write(f"##[error]{end.reason[:1].upper()}{end.reason[1:]}")


def _with_hint(error: UsageError | InfrastructureError) -> str:
    return f"{error.message}: {error.hint}" if error.hint else error.message
