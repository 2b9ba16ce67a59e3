"""One run of a plan: the lifecycle decides, this carries out.

`execute_run` is what `pawl run` calls. The server keeps the lifecycle's state itself and will drive
`execute_job` only.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.lifecycle import (
    AskApproval,
    CancelJob,
    CancelRequested,
    CompleteRun,
    Effect,
    EndJob,
    JobAdmitted,
    JobFinished,
    JobStarted,
    LifecycleEvent,
    Notice,
    ResolveJob,
    RunStarted,
    StartJob,
    apply,
    create_run,
)
from pawl.core.model import run_events
from pawl.core.model.errors import PawlError, UsageError
from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.plan import Plan
from pawl.core.model.status import Conclusion
from pawl.core.planning.answer import Resolved, answer_resolve, unmatched
from pawl.engine.execution.cancellation import Cancellation
from pawl.engine.execution.facts import run_facts
from pawl.engine.execution.job import execute_job, secret_set
from pawl.engine.execution.processes import end_task, ends_first
from pawl.engine.execution.request import JobOutcome, JobRequest, Ports, RunOutcome, RunRequest
from pawl.ports.artifacts import ArtifactStore
from pawl.ports.clock import Clock
from pawl.ports.executor import Executor
from pawl.ports.logs import LogStore
from pawl.ports.reporter import Reporter
from pawl.ports.source import Source

_SWEEP_TIME = 30.0
"""Seconds that looking for what killed runs left may take."""


async def execute_run(  # noqa: PLR0913 - its ports, one each
    request: RunRequest,
    *,
    executor: Executor,
    source: Source,
    logs: LogStore,
    artifacts: ArtifactStore,
    reporter: Reporter,
    clock: Clock,
    cancellation: Cancellation,
    is_alive: Callable[[str], bool] | None = None,
) -> RunOutcome:
    """Run a plan to its end and return how it ended.

    Whatever happens, also when this is cancelled, every sandbox is closed and every job's folder removed
    before it returns (unless kept on failure).

    Args:
        request: what to run.
        executor: makes the sandboxes.
        source: the repository's files.
        logs: where steps' output goes.
        artifacts: where jobs' artifacts go.
        reporter: told everything as it happens.
        clock: tells the time, and waits.
        cancellation: how the caller stops it, politely or at once.
        is_alive: tells whether an owner token's process lives; with it, what dead runs left is removed.

    Raises:
        UsageError: `only_jobs` names a job that does not exist, or there are too many secrets to mask.
        InfrastructureError: logs or events cannot be written.
    """
    ports = Ports(
        executor=executor, source=source, logs=logs, artifacts=artifacts, reporter=reporter, clock=clock
    )
    request = replace(request, plan=select_jobs(request.plan, request.only_jobs))
    secret_set(request.secrets)
    try:
        return await _Run(request, ports, cancellation).execute(is_alive)
    except BaseExceptionGroup as several:
        # Of a task group: each job has been ended and cleaned up; the first fault says what happened.
        raise _first(several) from several


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def select_jobs(plan: Plan, wanted: frozenset[str]) -> Plan:
    """Return the plan with the wanted jobs and all they need; all jobs when none are named.

    Raises:
        UsageError: there is no such job.
    """
    known = {job.key: job for job in plan.jobs}
    for key in sorted(wanted):
        if key not in known:
            names = ", ".join(f"`{name}`" for name in known) or "none"
            hint = did_you_mean(key, known) or f"its jobs are {names}"
            raise UsageError(f"there is no job `{key}` in {plan.path}", hint=hint)
    kept = {needed for key in wanted for needed in (JobKey(key), *known[JobKey(key)].ancestors)}
    return replace(plan, jobs=tuple(job for job in plan.jobs if job.key in kept)) if wanted else plan


class _Run:
    """The lifecycle in memory, and the tasks of its jobs."""

    def __init__(self, request: RunRequest, ports: Ports, cancellation: Cancellation) -> None:
        self._request = request
        self._ports = ports
        self._cancellation = cancellation
        self._state = create_run(request.plan)
        self._waiting: deque[LifecycleEvent] = deque()
        self._applying = False
        self._resolved: dict[JobId, Resolved] = {}
        self._cancellations: dict[JobId, Cancellation] = {}
        self._outcomes: dict[JobId, JobOutcome] = {}
        self._ended: list[JobOutcome] = []
        self._slots = asyncio.Semaphore(max(1, request.jobs_at_once))
        self._completed: asyncio.Future[CompleteRun] = asyncio.get_running_loop().create_future()
        self._since = ports.clock.monotonic()

    async def execute(self, is_alive: Callable[[str], bool] | None) -> RunOutcome:
        """Run until the lifecycle says that it is complete."""
        plan, clock = self._request.plan, self._ports.clock
        self._ports.reporter.report(
            run_events.RunStarted(
                time=clock.now(),
                number=self._request.number,
                workflow=plan.name,
                path=plan.path,
                run_name=plan.run_name,
                event=plan.event.name,
                executor=self._ports.executor.kind,
                folder=str(self._request.folder),
            )
        )
        sweeping = asyncio.ensure_future(self._sweep(is_alive))
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                watcher = group.create_task(self._watch())
                self._feed(RunStarted())
                await self._completed
                watcher.cancel()
            await ends_first(sweeping, clock.sleep(_SWEEP_TIME))
        finally:
            swept = sweeping.result() if sweeping.done() and not sweeping.cancelled() else ()
            await end_task(sweeping)
        return self._finish(self._completed.result(), swept)

    def _finish(self, complete: CompleteRun, swept: tuple[str, ...]) -> RunOutcome:
        clock = self._ports.clock
        duration = clock.monotonic() - self._since
        reason = complete.reason or self._cancellation.reason
        self._ports.reporter.report(
            run_events.RunFinished(
                time=clock.now(),
                conclusion=complete.conclusion,
                duration=duration,
                jobs={job.id: job.conclusion for job in self._ended},
                reason=reason,
            )
        )
        return RunOutcome(
            conclusion=complete.conclusion,
            duration=duration,
            reason=reason,
            jobs=tuple(self._ended),
            swept=swept,
            unmatched=unmatched(
                (each.combination.values for each in self._resolved.values()), self._request.matrix_filter
            ),
        )

    async def _sweep(self, is_alive: Callable[[str], bool] | None) -> tuple[str, ...]:
        if is_alive is None:
            return ()
        try:
            return await self._ports.executor.sweep(is_alive)
        except PawlError as error:
            return (f"looking for what earlier runs left failed: {error.message}",)

    async def _watch(self) -> None:
        """Pass on what the caller asks for."""
        await self._cancellation.wait()
        self._report_cancel(None, self._cancellation.reason)
        self._feed(CancelRequested(by="user", reason=self._cancellation.reason))
        await self._cancellation.wait_at_once()
        self._feed(CancelRequested(by="user", reason=self._cancellation.reason, force=True))
        for each in self._cancellations.values():
            each.request(self._cancellation.reason, at_once=True)

    def _report_cancel(self, job: JobId | None, reason: str) -> None:
        event = run_events.CancelRequested(time=self._ports.clock.now(), job=job, reason=reason)
        self._ports.reporter.report(event)

    def _feed(self, event: LifecycleEvent) -> None:
        """Apply an event, and those that its effects cause, one after the other."""
        self._waiting.append(event)
        if self._applying:
            return
        self._applying = True
        try:
            while self._waiting:
                now = self._ports.clock.monotonic()
                self._state, effects = apply(self._state, self._waiting.popleft(), now)
                for effect in effects:
                    self._perform(effect)
        finally:
            self._applying = False

    def _perform(self, effect: Effect) -> None:
        match effect:
            case ResolveJob(key=key):
                self._resolve(key)
            case AskApproval(id=job):
                # Nobody but the person who runs it could be asked.
                self._feed(JobAdmitted(id=job))
            case StartJob():
                self._cancellations[effect.id] = Cancellation()
                self._group.create_task(self._run_job(effect), name=f"job {effect.id}")
            case CancelJob(id=job, reason=reason):
                self._report_cancel(job, reason)
                self._cancellations[job].request(reason, at_once=self._cancellation.at_once)
            case Notice(message=message, job=job) if job is not None:
                progress = run_events.JobProgress(time=self._ports.clock.now(), job=job, message=message)
                self._ports.reporter.report(progress)
            case EndJob():
                self._end_job(effect)
            case CompleteRun():
                self._completed.set_result(effect)
            case _:
                pass

    def _resolve(self, key: JobKey) -> None:
        request = self._request
        answer = answer_resolve(
            request.plan,
            self._state,
            key,
            facts=run_facts(request),
            cancelled=self._cancellation.requested,
            matrix_filter=request.matrix_filter,
        )
        self._resolved.update({job.id: job for job in answer.jobs})
        for event in answer.events(self._ports.clock.now()):
            self._ports.reporter.report(event)
        self._feed(answer.event)

    async def _run_job(self, start: StartJob) -> None:
        cancellation, resolved = self._cancellations[start.id], self._resolved[start.id]
        if start.delay:
            cancelled = asyncio.ensure_future(cancellation.wait())
            await ends_first(cancelled, self._ports.clock.sleep(start.delay))
            await end_task(cancelled)
        async with self._slots:
            if cancellation.requested:
                return
            self._feed(JobStarted(id=start.id, attempt=start.attempt))
            job = JobRequest(
                run=self._request,
                id=start.id,
                attempt=start.attempt,
                planned=resolved.planned,
                combination=resolved.combination,
                strategy=resolved.strategy,
                needs=resolved.needs,
            )
            outcome = await execute_job(job, self._ports, cancellation)
        self._outcomes[start.id] = outcome
        self._feed(
            JobFinished(
                id=start.id,
                attempt=start.attempt,
                conclusion=outcome.conclusion,
                outputs=outcome.outputs,
                untrusted=outcome.untrusted,
                failure_class=outcome.failure_class,
                exit_code=outcome.exit_code,
                reason=outcome.reason,
            )
        )

    def _end_job(self, end: EndJob) -> None:
        outcome = self._outcomes.get(end.id) or JobOutcome(
            id=end.id,
            key=end.key,
            name=self._resolved[end.id].combination.name if end.id in self._resolved else str(end.key),
            conclusion=end.conclusion,
            reason=end.reason,
        )
        # A job may be cancelled while it waits for another attempt: the lifecycle has the last word.
        outcome = replace(outcome, conclusion=end.conclusion)
        self._ended.append(outcome)
        if end.conclusion is Conclusion.SKIPPED:
            # Said with its trace when it was resolved.
            return
        self._ports.reporter.report(
            run_events.JobFinished(
                time=self._ports.clock.now(),
                job=end.id,
                conclusion=end.conclusion,
                duration=outcome.duration,
                reason=outcome.reason or end.reason,
                failure_class=outcome.failure_class,
                outputs=dict(outcome.outputs),
                summary=outcome.summary,
                kept_sandbox=outcome.kept_sandbox,
            )
        )
