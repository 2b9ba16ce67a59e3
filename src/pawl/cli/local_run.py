"""A run without a server: what `pawl run` wires together, and the exit code that comes of it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from pawl.adapters.runs_folder import RunFolder, RunsFolder
from pawl.cli.exits import ExitCode
from pawl.cli.interrupts import Interrupts
from pawl.cli.keeping import is_alive, keeping_owner, mark_kept, sweep_folders
from pawl.cli.project import Project
from pawl.cli.settings import Settings
from pawl.cli.terminal.screen import Screen, look_at
from pawl.cli.terminal.wrapping import draw_lines
from pawl.cli.view.machine import JsonView
from pawl.cli.view.output import Output
from pawl.cli.view.picture import RunPicture
from pawl.cli.view.plain import PlainView
from pawl.cli.view.summary import draw_summary
from pawl.cli.wiring import Notice, SystemClock, choose_executor, open_source
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.plan import Plan
from pawl.core.model.run_events import RunEvent
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.planning.answer import filter_combinations
from pawl.core.planning.render import as_text
from pawl.core.planning.storage import plan_to_json
from pawl.engine.execution.cancellation import Cancellation
from pawl.engine.execution.request import ExecutionLimits, RunOutcome, RunRequest
from pawl.engine.execution.run import execute_run, select_jobs
from pawl.ports.executor import Executor
from pawl.ports.reporter import Reporter

_MOST_JOBS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWish:
    """What the command line says about how to run; None where it says nothing."""

    only_jobs: frozenset[str] = frozenset()
    secrets: Mapping[str, str] = field(default_factory=dict)
    executor: str | None = None
    jobs: int | None = None
    matrix: Mapping[str, str] = field(default_factory=dict)
    keep_on_failure: bool = False
    bind: bool = False
    as_json: bool = False
    live: bool = True
    colour: bool = False


class _Reporters:
    """Hands each event to several reporters, in order."""

    def __init__(self, *reporters: Callable[[RunEvent], None]) -> None:
        self._reporters = reporters

    def report(self, event: RunEvent) -> None:
        """Take one event (ports.reporter)."""
        for report in self._reporters:
            report(event)


async def run_locally(plan: Plan, project: Project, settings: Settings, wish: RunWish, notice: Notice) -> int:
    """Run a plan on the working tree and return the exit code.

    Raises:
        UsageError: the plan lacks a job that was asked for.
        InfrastructureError: no executor, or the disk refuses logs.
    """
    plan = select_jobs(plan, wish.only_jobs)
    check_matrix(plan, wish.matrix)
    executor = await choose_executor(wish.executor or settings.executor, notice)
    interrupts = Interrupts(Cancellation(), notice)
    # Also while the executor lets go: a Ctrl-C then must not keep it from finishing what it removes.
    with interrupts.listening():
        try:
            return await _run_on(executor, plan, project, settings, wish, interrupts)
        finally:
            interrupts.notice = _say_nothing
            await executor.aclose()


def _say_nothing(_text: str) -> None:
    """Take a notice that comes too late: the run is over."""


async def _run_on(
    executor: Executor,
    plan: Plan,
    project: Project,
    settings: Settings,
    wish: RunWish,
    interrupts: Interrupts,
) -> int:
    notice = interrupts.notice
    if wish.keep_on_failure and executor.kind == "host":
        notice("--keep-on-failure keeps containers; on this machine itself there are none")
    runs = RunsFolder(project.root, log_cap=settings.log_limit_mb << 20)
    runs.prune(max(0, settings.keep_runs - 1))
    folder = runs.create(plan_to_json(plan), workflow=plan.name, time=SystemClock().now())
    request = _request(plan, project, settings, wish, folder)
    screen = look_at(sys.stdout, colour=wish.colour)
    output = Output()
    picture = RunPicture.expecting((job.key, str(job.name or job.key)) for job in plan.jobs)
    async with _view(picture, screen, output, wish, interrupts) as view:
        reporters = _Reporters(folder.reporter().report, picture.apply, view.report)
        outcome = await _execute(request, executor, project, folder, reporters, interrupts.cancellation)
    _close(folder, picture, outcome.conclusion, outcome.reason, notice)
    for left in outcome.swept:
        notice(f"removed what an earlier run had left: {left}")
    for left in sweep_folders(is_alive).not_removed:
        notice(f"not removed: {left}")
    if not wish.as_json:
        summary = draw_summary(picture, screen, folder=project.shown(folder.path))
        output.write("".join(text + "\n" for text in draw_lines(summary, screen)))
    if outcome.unmatched and outcome.conclusion is Conclusion.SUCCESS:
        asked = ", ".join(f"`{axis}={wish.matrix[axis]}`" for axis in outcome.unmatched)
        raise UsageError(f"no job has {asked} in its matrix", hint="`pawl plan` lists what is known")
    return exit_code(outcome, interrupted=interrupts.count > 0)


def check_matrix(plan: Plan, wanted: Mapping[str, str]) -> None:
    """Check that `--matrix` can mean something, as far as the matrices are known before the run.

    Raises:
        UsageError: no job has such an axis, it never has that value, or no combination has all the values.
    """
    if any(job.matrix is not None and job.combinations is None for job in plan.jobs):
        return
    known_values: dict[str, list[str]] = {}
    for job in plan.jobs:
        for name, value in (item for each in job.combinations or () for item in each.values.items()):
            shown = "" if isinstance(value, list | dict) else as_text(value, "a matrix value")
            known_values.setdefault(name.lower(), []).append(shown)
    axes = sorted(known_values)
    for axis, text in wanted.items():
        values = list(dict.fromkeys(known_values.get(axis.lower(), ())))
        if not values:
            known = f"there are {', '.join(axes)}" if axes else "no job that would run has a matrix"
            raise UsageError(f"no matrix has `{axis}`", hint=did_you_mean(axis, axes) or known)
        if text not in values:
            raise UsageError(f"`{axis}` is never `{text}`", hint=f"it is {', '.join(values)}")
    folded = {axis.lower() for axis in wanted}
    expanded = [[each.values for each in job.combinations or ()] for job in plan.jobs]
    asked_of = [each for each in expanded if any(axis.lower() in folded for one in each for axis in one)]
    if asked_of and not any(filter_combinations(each, wanted) for each in asked_of):
        asked = ", ".join(f"{axis}={text}" for axis, text in wanted.items())
        raise UsageError(f"no combination of a matrix has {asked}", hint="`pawl plan` lists them")


def _request(
    plan: Plan, project: Project, settings: Settings, wish: RunWish, folder: RunFolder
) -> RunRequest:
    step_minutes = settings.step_timeout_minutes
    return RunRequest(
        plan=plan,
        number=folder.number,
        folder=folder.work,
        owner=keeping_owner(folder),
        project=project.root,
        secrets=wish.secrets,
        images=settings.labels,
        jobs_at_once=wish.jobs or settings.jobs or min(os.cpu_count() or 2, _MOST_JOBS),
        only_jobs=wish.only_jobs,
        matrix_filter=wish.matrix,
        bind=project.root if wish.bind else None,
        keep_on_failure=wish.keep_on_failure,
        strict_variables=settings.strict_variables,
        limits=ExecutionLimits(
            job_timeout=settings.job_timeout_minutes * 60,
            step_timeout=step_minutes * 60 if step_minutes is not None else None,
            cancel_timeout=settings.cancel_timeout_minutes * 60,
            output=settings.output_limit_mb << 20,
        ),
    )


async def _execute(
    request: RunRequest,
    executor: Executor,
    project: Project,
    folder: RunFolder,
    reporter: Reporter,
    cancellation: Cancellation,
) -> RunOutcome:
    try:
        return await execute_run(
            request,
            executor=executor,
            source=open_source(project),
            logs=folder.logs,
            artifacts=folder.artifacts,
            reporter=reporter,
            clock=SystemClock(),
            cancellation=cancellation,
            is_alive=is_alive,
        )
    except BaseException as error:
        # The run must not look as if it were still going on; what went wrong is told by whoever catches it.
        with contextlib.suppress(InfrastructureError):
            folder.finish(Conclusion.FAILURE, time=SystemClock().now(), reason=str(error))
        raise


def _close(
    folder: RunFolder, picture: RunPicture, conclusion: Conclusion, reason: str, notice: Notice
) -> None:
    kept = [job.kept_sandbox for job in picture.jobs.values() if job.kept_sandbox]
    if kept:
        mark_kept(folder, kept)
    left = folder.finish(conclusion, time=SystemClock().now(), reason=reason, keep_work=bool(kept))
    for each in left:
        notice(f"not removed: {each}")


@contextlib.asynccontextmanager
async def _view(
    picture: RunPicture, screen: Screen, output: Output, wish: RunWish, interrupts: Interrupts
) -> AsyncIterator[Reporter]:
    """Yield the view that fits: JSON lines, the live tree, or plain lines."""
    if wish.as_json:
        yield JsonView(output.write)
    elif wish.live and screen.is_terminal:
        from pawl.cli.view.live import LiveView  # noqa: PLC0415 - rich takes 100 ms to import

        view = LiveView(picture, screen, SystemClock().now)
        before, interrupts.notice = interrupts.notice, view.notice
        async with view.drawing():
            yield view
        interrupts.notice = before
    else:
        yield PlainView(screen, output.write)


def exit_code(outcome: RunOutcome, *, interrupted: bool) -> ExitCode:
    """Return the exit code of a run that ended."""
    if interrupted:
        return ExitCode.INTERRUPTED
    match outcome.conclusion:
        case Conclusion.SUCCESS | Conclusion.SKIPPED:
            return ExitCode.SUCCESS
        case Conclusion.FAILURE | Conclusion.TIMED_OUT | Conclusion.CANCELLED:
            ours = outcome.failure_class in {FailureClass.INFRASTRUCTURE, FailureClass.SYSTEM}
            return ExitCode.FAULT if ours else ExitCode.FAILED
        case _:
            assert_never(outcome.conclusion)
