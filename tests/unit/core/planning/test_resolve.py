from __future__ import annotations

import pytest

from pawl.core.expressions import Untrusted, evaluate
from pawl.core.model.ids import JobKey
from pawl.core.model.needs import NeedResult
from pawl.core.model.plan import Outlook
from pawl.core.model.status import Conclusion
from pawl.core.planning.contexts import needs_context
from pawl.core.planning.resolve import Resolution, resolve_job
from tests.unit.core.planning.workflows import job, plan_for

A = JobKey("a")


def resolve(
    *lines: str,
    result: Conclusion = Conclusion.SUCCESS,
    outputs: dict[str, str] | None = None,
    cancelled: bool = False,
) -> Resolution:
    plan = plan_for(job("a") + job("b", "needs: a", *lines))
    return resolve_job(
        plan.job("b"),
        plan,
        needs={A: NeedResult(result=result, outputs=outputs or {})},
        ancestors={A: result},
        cancelled=cancelled,
    )


@pytest.mark.parametrize(
    ("condition", "result", "runs"),
    [
        ("", Conclusion.SUCCESS, True),
        ("", Conclusion.FAILURE, False),
        ("", Conclusion.SKIPPED, False),
        ("failure()", Conclusion.FAILURE, True),
        ("failure()", Conclusion.CANCELLED, False),
        ("always()", Conclusion.CANCELLED, True),
        ("!cancelled()", Conclusion.FAILURE, True),
        ("needs.a.result == 'failure'", Conclusion.FAILURE, False),
        ("always() && needs.a.result == 'failure'", Conclusion.TIMED_OUT, True),
    ],
)
def test_a_condition_looks_at_how_its_needs_ended(condition: str, result: Conclusion, *, runs: bool) -> None:
    resolution = resolve(f'if: "{condition}"', result=result)
    assert (resolution.verdict.outlook is Outlook.RUNS) is runs
    assert bool(resolution.jobs) is runs


def test_the_matrix_may_come_from_outputs() -> None:
    resolution = resolve(
        "strategy: {fail-fast: false, max-parallel: 2, matrix: {v: '${{ fromJSON(needs.a.outputs.v) }}'}}",
        "continue-on-error: ${{ matrix.v == 2 }}",
        outputs={"v": "[1, 2]"},
    )
    assert [each.id for each in resolution.jobs] == ["b#0", "b#1"]
    assert [each.combination.name for each in resolution.jobs] == ["b (1)", "b (2)"]
    assert [each.continue_on_error for each in resolution.jobs] == [False, True]
    assert (resolution.strategy.fail_fast, resolution.strategy.max_parallel) == (False, 2)


def test_a_job_without_matrix_has_its_key_as_id() -> None:
    assert [each.id for each in resolve().jobs] == ["b"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("strategy: {matrix: {v: '${{ fromJSON(needs.a.outputs.v) }}'}}", "JSON"),
        ("strategy: {matrix: {v: '${{ needs.a.outputs.v }}'}}", "must be a list"),
        ("if: fromJSON(needs.a.outputs.v)", "JSON"),
        ("continue-on-error: ${{ needs.a.result }}", "must be true or false"),
        ("strategy: {max-parallel: '${{ needs.a.result }}', matrix: {v: [1]}}", "must be a number"),
    ],
)
def test_what_cannot_be_evaluated_is_an_error_not_an_exception(line: str, said: str) -> None:
    resolution = resolve(line)
    assert resolution.error is not None
    assert said in resolution.error
    assert resolution.jobs == ()


@pytest.mark.parametrize(("text", "expected"), [("0", None), ("3", 3), ("1.5", "error"), ("-1", "error")])
def test_max_parallel_counts_from_one_and_zero_is_no_limit(text: str, expected: object) -> None:
    line = "strategy: {max-parallel: '${{ fromJSON(needs.a.outputs.n) }}', matrix: {v: [1]}}"
    resolution = resolve(line, outputs={"n": text})
    assert ("error" if resolution.error else resolution.strategy.max_parallel) == expected


def test_a_cancelled_run_skips_what_would_have_run() -> None:
    resolution = resolve(cancelled=True)
    assert resolution.cancelled
    assert resolution.verdict.reason == "the run was cancelled"
    assert not resolve("if: false", cancelled=True).cancelled


def test_what_outlives_a_cancellation_is_known() -> None:
    assert resolve("if: always()").survives_cancel
    assert not resolve().survives_cancel
    assert resolve("if: always()", cancelled=True).jobs


def test_outputs_keep_their_taint_and_missing_ones_are_null() -> None:
    need = NeedResult(result=Conclusion.TIMED_OUT, outputs={"x": "1", "y": "2"}, untrusted=frozenset("x"))
    contexts = {"needs": needs_context({A: need})}
    assert evaluate("needs.a.result", contexts).value == "failure"
    assert isinstance(evaluate("needs.a.outputs.x", contexts).value, Untrusted)
    assert not isinstance(evaluate("needs.a.outputs.y", contexts).value, Untrusted)
    assert evaluate("needs.a.outputs.z", contexts).value is None


@pytest.mark.parametrize(
    ("condition", "a", "runs"),
    [
        ("success('a')", Conclusion.SUCCESS, True),
        ("success('A')", Conclusion.FAILURE, False),
        ("success('b')", Conclusion.FAILURE, True),
        ("failure('a', 'b')", Conclusion.FAILURE, True),
        ("failure('b')", Conclusion.FAILURE, False),
    ],
)
def test_status_functions_of_jobs_may_name_the_jobs_they_look_at(
    condition: str, a: Conclusion, *, runs: bool
) -> None:
    plan = plan_for(job("a") + job("b") + job("c", "needs: [a, b]", f"if: {condition}"))
    ancestors = {A: a, JobKey("b"): Conclusion.SUCCESS}
    needs = {key: NeedResult(result=result) for key, result in ancestors.items()}
    assert plan.job("c").verdict.outlook is Outlook.DECIDED_LATER
    resolution = resolve_job(plan.job("c"), plan, needs=needs, ancestors=ancestors)
    assert (resolution.verdict.outlook is Outlook.RUNS) is runs


def test_a_job_that_is_not_needed_cannot_be_asked_about() -> None:
    plan = plan_for(job("a") + job("b", "needs: a", "if: always() && success('a')"))
    resolution = resolve_job(plan.job("b"), plan, needs={}, ancestors={})
    assert resolution.error == "the job does not need a job `a`, directly or through others"
