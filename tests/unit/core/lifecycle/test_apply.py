from __future__ import annotations

import pytest

from pawl.core.lifecycle import (
    CancelJob,
    CancelRequested,
    CompleteRun,
    EndJob,
    IllegalTransition,
    JobFinished,
    JobSkipped,
    JobStarted,
    JobUnresolvable,
    Notice,
    ResolveJob,
    RunStarted,
    StartJob,
    ancestor_results,
    apply,
    create_run,
    need_results,
)
from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.plan import RetryRule
from pawl.core.model.status import Conclusion, FailureClass, Status
from tests.unit.core.lifecycle.runs import begin, feed, plan_of, resolved


def started(job: str, attempt: int = 1) -> JobStarted:
    return JobStarted(id=JobId(job), attempt=attempt)


def ended(
    job: str,
    conclusion: Conclusion = Conclusion.SUCCESS,
    attempt: int = 1,
    outputs: dict[str, str] | None = None,
    failure_class: FailureClass | None = None,
    exit_code: int | None = None,
) -> JobFinished:
    return JobFinished(
        id=JobId(job),
        attempt=attempt,
        conclusion=conclusion,
        outputs=outputs or {},
        failure_class=failure_class,
        exit_code=exit_code,
    )


FAILURE = Conclusion.FAILURE


def test_only_jobs_without_needs_are_resolved_at_the_start() -> None:
    _, effects = begin({"a": (), "b": ("a",), "c": ()})
    assert effects == (ResolveJob(JobKey("a")), ResolveJob(JobKey("c")))


def test_a_job_is_resolved_when_its_last_need_has_ended() -> None:
    run, _ = begin({"a": (), "b": (), "c": ("a", "b")})
    run, effects = feed(run, resolved("a"), resolved("b"), ended("a"))
    assert ResolveJob(JobKey("c")) not in effects
    run, effects = feed(run, ended("b"))
    assert effects[-1] == ResolveJob(JobKey("c"))
    assert {key: need.result for key, need in need_results(run, JobKey("c")).items()} == {
        "a": Conclusion.SUCCESS,
        "b": Conclusion.SUCCESS,
    }


def test_a_run_without_jobs_completes_at_once() -> None:
    run, effects = begin({})
    assert run.conclusion is Conclusion.SUCCESS
    assert effects == (CompleteRun(conclusion=Conclusion.SUCCESS),)


def test_a_skipped_job_ends_and_its_dependents_go_on() -> None:
    run, _ = begin({"a": (), "b": ("a",)})
    run, effects = feed(run, JobSkipped(key=JobKey("a"), reason="no"))
    assert effects[0] == EndJob(
        id=JobId("a"), key=JobKey("a"), conclusion=Conclusion.SKIPPED, reason="no", ran=False
    )
    assert ancestor_results(run, JobKey("b")) == {"a": Conclusion.SKIPPED}
    run, effects = feed(run, JobSkipped(key=JobKey("b"), reason="no"))
    assert effects[-1] == CompleteRun(conclusion=Conclusion.SUCCESS)


def test_a_job_that_cannot_be_resolved_fails_the_run() -> None:
    run, _ = begin({"a": ()})
    run, effects = feed(run, JobUnresolvable(key=JobKey("a"), reason="bad matrix"))
    assert run.conclusion is FAILURE
    assert isinstance(effects[0], EndJob)
    assert not effects[0].ran


def test_max_parallel_holds_combinations_back() -> None:
    run, _ = begin({"a": ()})
    run, effects = feed(run, resolved("a", 3, max_parallel=1))
    assert [effect.id for effect in effects if isinstance(effect, StartJob)] == ["a#0"]
    run, effects = feed(run, started("a#0"), ended("a#0"))
    assert [effect.id for effect in effects if isinstance(effect, StartJob)] == ["a#1"]


def test_fail_fast_stops_the_siblings_and_nothing_else() -> None:
    run, _ = begin({"a": (), "other": ()})
    run, effects = feed(
        run,
        resolved("a", 4, max_parallel=3),
        resolved("other"),
        started("a#0"),
        started("a#1"),
        started("other"),
        ended("a#0", FAILURE),
    )
    stopped = {effect.id: effect.running for effect in effects if isinstance(effect, CancelJob)}
    assert stopped == {"a#1": True, "a#2": False}
    group = run.groups[JobKey("a")].jobs or ()
    assert [job.conclusion for job in group] == [FAILURE, None, Conclusion.CANCELLED, Conclusion.CANCELLED]
    assert group[1].cancelling is not None
    run, _ = feed(run, ended("a#1", Conclusion.CANCELLED), ended("other"))
    assert run.groups[JobKey("a")].result is FAILURE
    assert run.conclusion is FAILURE


def test_without_fail_fast_siblings_go_on() -> None:
    run, _ = begin({"a": ()})
    run, effects = feed(run, resolved("a", 2, fail_fast=False), ended("a#0", FAILURE))
    assert not any(isinstance(effect, CancelJob) for effect in effects)


def test_a_forgiven_failure_counts_as_success_and_stops_no_sibling() -> None:
    run, _ = begin({"a": ()})
    run, effects = feed(run, resolved("a", 2, forgiven=[0]), ended("a#0", FAILURE), ended("a#1"))
    assert not any(isinstance(effect, CancelJob) for effect in effects)
    assert run.groups[JobKey("a")].result is Conclusion.SUCCESS
    assert run.conclusion is Conclusion.SUCCESS
    ends = [effect.conclusion for effect in effects if isinstance(effect, EndJob)]
    assert ends == [FAILURE, Conclusion.SUCCESS]


def test_of_a_matrix_the_last_to_end_gives_the_output_unless_it_is_empty() -> None:
    run, _ = begin({"a": (), "b": ("a",)})
    run, _ = feed(
        run,
        resolved("a", 3),
        ended("a#2", outputs={"x": "two", "y": "two"}),
        ended("a#0", outputs={"x": "zero"}),
        ended("a#1", outputs={"x": ""}),
    )
    assert need_results(run, JobKey("b"))[JobKey("a")].outputs == {"x": "zero", "y": "two"}


def test_taint_of_outputs_follows_the_value_that_won() -> None:
    run, _ = begin({"a": (), "b": ("a",)})
    first = JobFinished(
        id=JobId("a#0"),
        attempt=1,
        conclusion=Conclusion.SUCCESS,
        outputs={"x": "1"},
        untrusted=frozenset("x"),
    )
    run, _ = feed(run, resolved("a", 2), first)
    tainted, _ = feed(run, ended("a#1"))
    clean, _ = feed(run, ended("a#1", outputs={"x": "2"}))
    assert need_results(tainted, JobKey("b"))[JobKey("a")].untrusted == {"x"}
    assert need_results(clean, JobKey("b"))[JobKey("a")].untrusted == frozenset()


def test_cancelling_stops_waiting_work_at_once_and_asks_running_work_to_end() -> None:
    run, _ = begin({"a": (), "b": (), "c": ("a",)})
    run, effects = feed(
        run, resolved("a"), resolved("b"), started("a"), CancelRequested(by="ann", reason="enough")
    )
    assert CancelJob(id=JobId("a"), reason="enough", running=True) in effects
    assert CancelJob(id=JobId("b"), reason="enough", running=False) in effects
    assert run.status is Status.IN_PROGRESS
    run, effects = feed(run, ended("a", Conclusion.CANCELLED))
    assert effects[-1] == ResolveJob(JobKey("c"))
    run, effects = feed(run, JobSkipped(key=JobKey("c"), reason="", cancelled=True))
    assert effects[-1] == CompleteRun(conclusion=Conclusion.CANCELLED, reason="enough")


def test_a_running_job_is_asked_to_end_once() -> None:
    run, _ = begin({"a": ()})
    run, effects = feed(
        run,
        resolved("a", 2),
        started("a#1"),
        ended("a#0", FAILURE),
        CancelRequested(by="ann"),
        CancelRequested(by="ann", force=True),
    )
    assert [effect.id for effect in effects if isinstance(effect, CancelJob)] == ["a#1"]


def test_a_job_whose_condition_outlives_it_is_not_cancelled_unless_forced() -> None:
    run, _ = begin({"a": ()})
    run, effects = feed(run, resolved("a", survives_cancel=True), started("a"), CancelRequested(by="ann"))
    assert not any(isinstance(effect, CancelJob) for effect in effects)
    run, effects = feed(run, CancelRequested(by="ann", force=True))
    assert any(isinstance(effect, CancelJob) for effect in effects)


def test_a_job_resolved_after_a_cancellation_runs_only_if_it_outlives_it() -> None:
    run, _ = begin({"a": (), "b": ()})
    run, effects = feed(run, CancelRequested(by="ann"), resolved("a"), resolved("b", survives_cancel=True))
    assert [effect.id for effect in effects if isinstance(effect, StartJob)] == ["b"]
    assert run.groups[JobKey("a")].result is Conclusion.CANCELLED


def test_a_run_cancelled_before_its_start_ends_at_once() -> None:
    run, effects = apply(create_run(plan_of({"a": (), "b": ("a",)})), CancelRequested(by="ann"), 0.0)
    assert run.conclusion is Conclusion.CANCELLED
    assert isinstance(effects[-1], CompleteRun)
    assert apply(run, RunStarted(), 1.0) == (run, ())


def test_one_job_can_be_cancelled_by_itself() -> None:
    run, _ = begin({"a": (), "b": ()})
    run, _ = feed(run, resolved("a"), CancelRequested(by="ann", job=JobId("a")), resolved("b"), ended("b"))
    assert run.groups[JobKey("a")].result is Conclusion.CANCELLED
    assert run.conclusion is Conclusion.CANCELLED


def test_a_failed_attempt_is_repeated_as_the_workflow_says_with_growing_delay() -> None:
    rule = RetryRule(max_attempts=3, backoff_seconds=5)
    run, _ = begin({"a": ()}, rule)
    run, effects = feed(run, resolved("a"), started("a"), ended("a", FAILURE), ended("a", FAILURE, attempt=2))
    starts = [(effect.attempt, effect.delay) for effect in effects if isinstance(effect, StartJob)]
    assert starts == [(1, 0), (2, 5), (3, 10)]
    assert sum(isinstance(effect, Notice) for effect in effects) == 2
    run, _ = feed(run, ended("a", FAILURE, attempt=3))
    assert run.conclusion is FAILURE


@pytest.mark.parametrize(
    ("rule", "end", "again"),
    [
        (RetryRule(max_attempts=2, exit_codes=(7,)), ended("a", FAILURE, exit_code=7), True),
        (RetryRule(max_attempts=2, exit_codes=(7,)), ended("a", FAILURE, exit_code=1), False),
        (RetryRule(max_attempts=2, exit_codes=(7,)), ended("a", Conclusion.TIMED_OUT), False),
        (RetryRule(max_attempts=2, on_timeout=True), ended("a", Conclusion.TIMED_OUT), True),
        (RetryRule(max_attempts=2, on_timeout=True), ended("a", FAILURE, exit_code=1), False),
        (RetryRule(max_attempts=2), ended("a", Conclusion.CANCELLED), False),
        (RetryRule(max_attempts=1), ended("a", FAILURE), False),
        (None, ended("a", FAILURE), False),
    ],
)
def test_retry_looks_at_what_failed(rule: RetryRule | None, end: JobFinished, *, again: bool) -> None:
    run, _ = begin({"a": ()}, rule)
    run, _ = feed(run, resolved("a"), end)
    assert (run.status is Status.IN_PROGRESS) is again


def test_only_infrastructure_faults_are_repeated_by_themselves() -> None:
    broken = ended("a", FAILURE, failure_class=FailureClass.INFRASTRUCTURE)
    run, _ = begin({"a": ()}, infrastructure_retries=1)
    run, effects = feed(run, resolved("a"), broken)
    assert isinstance(effects[-1], StartJob)
    assert effects[-1].delay > 0
    run, _ = feed(run, ended("a", FAILURE, attempt=2, failure_class=FailureClass.INFRASTRUCTURE))
    assert run.conclusion is FAILURE


def test_a_cancelled_job_is_not_tried_again() -> None:
    run, _ = begin({"a": ()}, RetryRule(max_attempts=5))
    run, _ = feed(run, resolved("a"), started("a"), CancelRequested(by="ann"), ended("a", FAILURE))
    assert run.status is Status.COMPLETED


def test_late_and_repeated_news_changes_nothing() -> None:
    run, _ = begin({"a": (), "b": ("a",)}, RetryRule(max_attempts=2))
    run, _ = feed(run, resolved("a"), started("a"), ended("a", FAILURE), started("a", 2))
    for old in (RunStarted(), resolved("a"), started("a"), started("a", 2), ended("a")):
        assert feed(run, old) == (run, [])


@pytest.mark.parametrize(
    "event",
    [
        started("a"),
        ended("a"),
        resolved("b"),
        resolved("nobody"),
        JobSkipped(key=JobKey("b"), reason=""),
        CancelRequested(by="ann", job=JobId("nobody")),
        JobFinished(id=JobId("a"), attempt=1, conclusion=Conclusion.SKIPPED),
    ],
)
def test_what_cannot_have_happened_is_refused(event: object) -> None:
    run, _ = begin({"a": (), "b": ("a",)})
    with pytest.raises(IllegalTransition):
        feed(run, event)  # type: ignore[arg-type]  # every kind of event comes this way


def test_two_groups_cannot_share_an_id() -> None:
    run, _ = begin({"a": (), "b": ()})
    run, _ = feed(run, resolved("a"))
    clash = resolved("a")
    with pytest.raises(IllegalTransition):
        feed(run, type(clash)(key=JobKey("b"), combinations=clash.combinations))
