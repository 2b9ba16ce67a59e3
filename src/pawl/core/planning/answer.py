"""Answering the lifecycle's question whether a job runs, and as which combinations.

Both `pawl run` and the server ask here, so a job is decided the same way in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from pawl.core.lifecycle import (
    JobResolved,
    JobSkipped,
    JobUnresolvable,
    LifecycleEvent,
    ResolvedCombination,
    RunState,
    ancestor_results,
    need_results,
)
from pawl.core.model import run_events
from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.needs import NeedResult
from pawl.core.model.plan import Combination, Json, Outlook, Plan, PlannedJob
from pawl.core.planning.contexts import RunFacts
from pawl.core.planning.render import as_text
from pawl.core.planning.resolve import Resolution, Strategy, resolve_job


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """One job that will run."""

    id: JobId
    planned: PlannedJob
    combination: Combination
    strategy: Strategy
    needs: Mapping[JobKey, NeedResult]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a job: the lifecycle's event, and what to tell people."""

    key: JobKey
    event: LifecycleEvent
    jobs: tuple[Resolved, ...] = ()
    trace: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def events(self, now: float) -> Iterator[run_events.RunEvent]:
        """Yield what to tell: one event for each job that waits to run, or one for the job that does not."""
        for job in self.jobs:
            yield run_events.JobQueued(time=now, job=job.id, key=self.key, name=job.combination.name)
            for warning in self.warnings:
                yield run_events.JobProgress(time=now, job=job.id, message=warning)
        if isinstance(self.event, JobSkipped) and not self.event.cancelled:
            # A cancelled one ends as cancelled, which is told when the lifecycle says so.
            yield run_events.JobSkipped(
                time=now,
                job=JobId(self.key),
                key=self.key,
                name=str(self.key),
                reason=self.event.reason,
                trace=self.trace,
            )


_ALL: Mapping[str, str] = MappingProxyType({})


def answer_resolve(
    plan: Plan,
    state: RunState,
    key: JobKey,
    *,
    facts: RunFacts,
    cancelled: bool,
    matrix_filter: Mapping[str, str] = _ALL,
) -> Answer:
    """Return what becomes of job `key`, all of whose needs have ended. Never raises for the user's faults.

    Args:
        plan: the run's.
        state: the run's, with the results of the job's needs.
        key: the job that `ResolveJob` named.
        facts: about the run, for `github`.
        cancelled: whether the run was asked to stop.
        matrix_filter: only combinations in which these axes have these values.
    """
    planned = plan.job(key)
    needs = need_results(state, key)
    found = resolve_job(
        planned,
        plan,
        needs=needs,
        ancestors=ancestor_results(state, key),
        cancelled=cancelled,
        facts=facts,
    )
    if found.error is not None:
        return Answer(key=key, event=JobUnresolvable(key=key, reason=found.error))
    if found.verdict.outlook is Outlook.SKIPPED:
        skipped = JobSkipped(key=key, reason=found.verdict.reason, cancelled=found.cancelled)
        return Answer(key=key, event=skipped, trace=found.verdict.trace)
    found = _filtered(found, matrix_filter)
    if not found.jobs:
        wanted = ", ".join(f"{axis}={value}" for axis, value in matrix_filter.items())
        reason = f"no combination of its matrix has {wanted}" if wanted else "its matrix has no combination"
        return Answer(key=key, event=JobSkipped(key=key, reason=reason))
    event = JobResolved(
        key=key,
        combinations=tuple(
            ResolvedCombination(
                id=job.id, continue_on_error=job.continue_on_error, environment=job.environment
            )
            for job in found.jobs
        ),
        fail_fast=found.strategy.fail_fast,
        max_parallel=found.strategy.max_parallel,
        survives_cancel=found.survives_cancel,
    )
    jobs = tuple(
        Resolved(
            id=job.id,
            planned=planned,
            combination=job.combination,
            strategy=found.strategy,
            needs=needs,
        )
        for job in found.jobs
    )
    return Answer(key=key, event=event, jobs=jobs, warnings=found.warnings)


def _filtered(found: Resolution, wanted: Mapping[str, str]) -> Resolution:
    left = set(filter_combinations([job.combination.values for job in found.jobs], wanted))
    return replace(found, jobs=tuple(job for number, job in enumerate(found.jobs) if number in left))


def filter_combinations(combinations: Sequence[Mapping[str, Json]], wanted: Mapping[str, str]) -> list[int]:
    """Return which of a job's combinations have the wanted values; axes that it lacks do not count."""
    folded = [{axis.lower(): _text(value) for axis, value in each.items()} for each in combinations]
    axes = {axis for each in folded for axis in each}
    asked = {axis.lower(): value for axis, value in wanted.items() if axis.lower() in axes}
    return [
        number
        for number, each in enumerate(folded)
        if all(each.get(axis) == value for axis, value in asked.items())
    ]


def unmatched(combinations: Iterable[Mapping[str, Json]], wanted: Mapping[str, str]) -> tuple[str, ...]:
    """Return those wanted axes that have their wanted value in none of these combinations."""
    pairs = {(axis.lower(), _text(value)) for each in combinations for axis, value in each.items()}
    return tuple(axis for axis, value in wanted.items() if (axis.lower(), value) not in pairs)


def _text(value: Json) -> str:
    return "" if isinstance(value, list | dict) else as_text(value, "a matrix value")
