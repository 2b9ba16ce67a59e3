"""The lifecycle under any order of events that can happen, with repeats and cancellations thrown in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.core.lifecycle import (
    AskApproval,
    CancelJob,
    CancelRequested,
    CompleteRun,
    EndJob,
    JobAdmitted,
    JobFinished,
    JobRefused,
    JobResolved,
    JobSkipped,
    JobStarted,
    JobUnresolvable,
    LifecycleEvent,
    ResolvedCombination,
    ResolveJob,
    RunHeld,
    RunReleased,
    RunStarted,
    RunState,
    StartJob,
    apply,
    create_run,
    rerun,
    run_conclusion,
    run_status,
    state_from_json,
    state_to_json,
)
from pawl.core.model.events import Event
from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.plan import Outlook, Plan, PlannedJob, RetryRule, Verdict
from pawl.core.model.status import Conclusion, Status

RUNS = Verdict(outlook=Outlook.RUNS, reason="")
ENDS = (Conclusion.SUCCESS, Conclusion.SUCCESS, Conclusion.FAILURE, Conclusion.TIMED_OUT)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan of up to five jobs, each needing some of those before it."""
    jobs: list[PlannedJob] = []
    for index in range(draw(st.integers(0, 5))):
        needs = [job for job in jobs if draw(st.booleans())]
        above = [key for job in needs for key in (*job.ancestors, job.key)]
        retry = RetryRule(max_attempts=draw(st.integers(1, 3))) if draw(st.booleans()) else None
        job = PlannedJob(
            key=JobKey(f"j{index}"),
            line=1,
            verdict=RUNS,
            needs=tuple(need.key for need in needs),
            ancestors=tuple(dict.fromkeys(above)),
            retry=retry,
        )
        jobs.append(job)
    return Plan(path="w", name="w", run_name="w", event=Event(name="push"), trigger=RUNS, jobs=tuple(jobs))


@dataclass
class World:
    """Does what effects ask, in any order, and watches the rules."""

    draw: Any
    run: RunState
    waiting: list[LifecycleEvent] = field(default_factory=list)
    past: list[LifecycleEvent] = field(default_factory=list)
    ended: dict[str, Conclusion] = field(default_factory=dict)
    conclusion: Conclusion | None = None
    cancels: int = 2
    made: set[tuple[str, int]] = field(default_factory=set)
    admitted: set[str] = field(default_factory=set)

    def go(self) -> None:
        self.admitted = set()
        if self.draw(st.booleans()):
            self.hold()
        self.feed(RunStarted())
        while self.waiting:
            self.waiting.append(self.waiting.pop(self.draw(st.integers(0, len(self.waiting) - 1))))
            self.feed(self.waiting.pop())
            if self.past and self.draw(st.integers(0, 5)) == 0:
                self.repeat(self.past[self.draw(st.integers(0, len(self.past) - 1))])
            if self.cancels and self.draw(st.integers(0, 9)) == 0:
                self.cancels -= 1
                self.feed(CancelRequested(by="test", force=self.draw(st.booleans())))

    def hold(self) -> None:
        """A run that is held does not begin, however often it is told to, and can be cancelled."""
        self.feed(RunHeld("it waits for approval"))
        held = self.run
        self.repeat(RunStarted())
        assert run_status(held) is Status.WAITING or run_status(held) is Status.COMPLETED
        if self.draw(st.integers(0, 3)) == 0:
            self.feed(CancelRequested(by="test"))
            assert self.run.status is Status.COMPLETED
            self.repeat(RunReleased())
        self.feed(RunReleased())

    def repeat(self, event: LifecycleEvent) -> None:
        assert apply(self.run, event, 1.0) == (self.run, ())

    def feed(self, event: LifecycleEvent) -> None:
        before = self.run
        if isinstance(event, JobAdmitted):
            self.admitted.add(event.id)
        after, effects = apply(before, event, 1.0)
        assert (after, effects) == apply(before, event, 1.0)
        assert state_from_json(json.loads(json.dumps(state_to_json(after)))) == after
        self.run = after
        self.past.append(event)
        self.check(before)
        for effect in effects:
            assert self.conclusion is None, "an effect after the end"
            match effect:
                case ResolveJob(key):
                    self.ready(key)
                    self.waiting.append(self.answer(key))
                case AskApproval(id=job, key=key):
                    self.ready(key)
                    assert job not in self.ended
                    refused = self.draw(st.integers(0, 3)) == 0
                    self.waiting.append(JobRefused(id=job, reason="") if refused else JobAdmitted(id=job))
                case StartJob(id=job, key=key, attempt=attempt):
                    self.ready(key)
                    found = self.run.find(job)
                    assert found is not None
                    assert not found[1].environment or job in self.admitted, "a job nobody let in"
                    assert job not in self.ended
                    assert (job, attempt) not in self.made, "an attempt that was made before"
                    self.made.add((job, attempt))
                    self.waiting.append(JobStarted(id=job, attempt=attempt))
                case CancelJob(id=job, running=False):
                    self.waiting = [each for each in self.waiting if getattr(each, "id", None) != job]
                case EndJob(id=job, conclusion=conclusion):
                    assert job not in self.ended, "a second conclusion"
                    self.ended[job] = conclusion
                case CompleteRun(conclusion=conclusion):
                    self.conclusion = conclusion
        if isinstance(event, JobStarted) and after != before:
            self.waiting.append(self.end(event))

    def ready(self, key: JobKey) -> None:
        assert all(self.run.groups[need].is_completed for need in self.run.groups[key].ancestors)

    def check(self, before: RunState) -> None:
        for key, group in self.run.groups.items():
            active = sum(job.is_active for job in group.jobs or ())
            assert group.max_parallel is None or active <= group.max_parallel
            old = before.groups[key]
            assert old.result in {None, group.result}, "a result that changed"
            for job in group.jobs or ():
                assert (job.conclusion is not None) == (job.status is Status.COMPLETED)
        assert (self.run.conclusion is not None) == (self.run.status is Status.COMPLETED)
        assert (run_status(self.run) is Status.COMPLETED) == (self.run.status is Status.COMPLETED)
        assert self.run.conclusion in {None, run_conclusion(self.run)}

    def answer(self, key: JobKey) -> LifecycleEvent:
        kind = self.draw(st.integers(0, 7))
        if kind == 0:
            return JobSkipped(key=key, reason="", cancelled=self.draw(st.booleans()))
        if kind == 1:
            return JobUnresolvable(key=key, reason="")
        combinations = tuple(
            ResolvedCombination(
                id=JobId(f"{key}#{index}"),
                continue_on_error=self.draw(st.booleans()),
                environment=self.draw(st.sampled_from(("", "", "production"))),
            )
            for index in range(self.draw(st.integers(0, 3)))
        )
        return JobResolved(
            key=key,
            combinations=combinations,
            fail_fast=self.draw(st.booleans()),
            max_parallel=self.draw(st.none() | st.integers(1, 2)),
            survives_cancel=self.draw(st.booleans()),
        )

    def end(self, started: JobStarted) -> JobFinished:
        conclusion = self.draw(st.sampled_from((*ENDS, Conclusion.CANCELLED)))
        outputs = {"x": started.id}
        return JobFinished(id=started.id, attempt=started.attempt, conclusion=conclusion, outputs=outputs)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_every_order_of_events_ends_with_one_conclusion_for_each_job(data: st.DataObject) -> None:
    plan = data.draw(plans())
    world = World(draw=data.draw, run=create_run(plan))
    world.go()
    assert world.run.status is Status.COMPLETED
    assert world.conclusion is world.run.conclusion
    jobs = {str(job.id) for group in world.run.groups.values() for job in group.jobs or ()}
    without_jobs = {str(key) for key, group in world.run.groups.items() if not group.jobs}
    assert set(world.ended) == jobs | without_jobs
    failed = [group for group in world.run.groups.values() if group.result is Conclusion.FAILURE]
    if world.run.cancellation is None:
        assert (world.conclusion is Conclusion.FAILURE) == bool(failed)
    for event in world.past:
        world.repeat(event)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_run_started_again_makes_only_new_attempts_and_keeps_what_it_does_not_touch(
    data: st.DataObject,
) -> None:
    plan = data.draw(plans())
    first = World(draw=data.draw, run=create_run(plan))
    first.go()
    keys = [str(key) for key in first.run.groups]
    jobs = [str(job.id) for group in first.run.groups.values() for job in group.jobs or ()]
    failed = any(
        group.result in {Conclusion.FAILURE, Conclusion.CANCELLED} for group in first.run.groups.values()
    )
    choices = [*(["all"] if keys else []), *(["failed"] if failed else []), *keys, *jobs]
    if not choices:
        return
    begun = rerun(first.run, data.draw(st.sampled_from(choices)))
    again = World(draw=data.draw, run=begun, made=first.made, cancels=0)
    again.go()
    assert again.run.status is Status.COMPLETED
    for key, group in begun.groups.items():
        if group.result is not None:
            assert again.run.groups[key] == first.run.groups[key]
