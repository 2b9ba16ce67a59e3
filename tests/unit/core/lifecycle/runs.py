"""Plans and a driver for tests of the lifecycle."""

from __future__ import annotations

from collections.abc import Sequence

from pawl.core.lifecycle import (
    Effect,
    JobResolved,
    LifecycleEvent,
    ResolvedCombination,
    RunStarted,
    RunState,
    apply,
    create_run,
)
from pawl.core.model.events import Event
from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.plan import Outlook, Plan, PlannedJob, RetryRule, Verdict

RUNS = Verdict(outlook=Outlook.RUNS, reason="")


def plan_of(needs: dict[str, Sequence[str]], retry: RetryRule | None = None, name: str = "w") -> Plan:
    """Return a plan of jobs with their needs, written in topological order."""
    ancestors: dict[str, list[str]] = {}
    for key, direct in needs.items():
        above = [each for need in direct for each in (*ancestors[need], need)]
        ancestors[key] = list(dict.fromkeys(above))
    jobs = tuple(
        PlannedJob(
            key=JobKey(key),
            line=1,
            verdict=RUNS,
            needs=tuple(map(JobKey, direct)),
            ancestors=tuple(map(JobKey, ancestors[key])),
            retry=retry,
        )
        for key, direct in needs.items()
    )
    return Plan(path="w.yml", name=name, run_name=name, event=Event(name="push"), trigger=RUNS, jobs=jobs)


def begin(
    needs: dict[str, Sequence[str]], retry: RetryRule | None = None, infrastructure_retries: int = 0
) -> tuple[RunState, tuple[Effect, ...]]:
    """Return a run that has just been started."""
    run = create_run(plan_of(needs, retry), infrastructure_retries=infrastructure_retries)
    return apply(run, RunStarted(), 0.0)


def feed(run: RunState, *events: LifecycleEvent) -> tuple[RunState, list[Effect]]:
    """Return the state after several events, and all their effects."""
    effects: list[Effect] = []
    for event in events:
        run, more = apply(run, event, 1.0)
        effects += more
    return run, effects


def resolved(
    key: str, count: int = 1, *, forgiven: Sequence[int] = (), max_parallel: int | None = None, **more: bool
) -> JobResolved:
    """Return the answer that a job runs as `count` combinations; those of `forgiven` may fail."""
    ids = [key] if count == 1 else [f"{key}#{index}" for index in range(count)]
    combinations = tuple(
        ResolvedCombination(id=JobId(each), continue_on_error=index in forgiven)
        for index, each in enumerate(ids)
    )
    return JobResolved(key=JobKey(key), combinations=combinations, max_parallel=max_parallel, **more)
