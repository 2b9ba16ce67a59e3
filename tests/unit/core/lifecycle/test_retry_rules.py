"""After which failures `retry:` tries again."""

from __future__ import annotations

import pytest

from pawl.core.lifecycle import (
    JobFinished,
    JobResolved,
    ResolvedCombination,
    RunStarted,
    apply,
    create_run,
)
from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.status import Conclusion, FailureClass, Status
from pawl.testing.builders import make_plan


@pytest.mark.parametrize(
    ("rule", "conclusion", "exit_code", "log", "again"),
    [
        ("2", Conclusion.FAILURE, 1, (), True),
        ("2", Conclusion.SUCCESS, 0, (), False),
        ("2", Conclusion.CANCELLED, None, (), False),
        ("{max_attempts: 2, exit_codes: [75]}", Conclusion.FAILURE, 75, (), True),
        ("{max_attempts: 2, exit_codes: [75]}", Conclusion.FAILURE, 1, (), False),
        ("{max_attempts: 2, signals: SIGKILL}", Conclusion.FAILURE, 137, (), True),
        ("{max_attempts: 2, signals: [term, kill]}", Conclusion.FAILURE, 143, (), True),
        ("{max_attempts: 2, signals: [SIGKILL]}", Conclusion.FAILURE, 139, (), False),
        ("{max_attempts: 2, signals: [SIGKILL]}", Conclusion.FAILURE, None, (), False),
        ("{max_attempts: 2, log: [reset by peer]}", Conclusion.FAILURE, 1, ("reset by peer",), True),
        ("{max_attempts: 2, log: [reset by peer]}", Conclusion.FAILURE, 1, (), False),
        ("{max_attempts: 2, log: a, exit_codes: [75]}", Conclusion.FAILURE, 75, (), True),
        ("{max_attempts: 2, retry_on_timeout: true}", Conclusion.TIMED_OUT, None, (), True),
        ("{max_attempts: 2, exit_codes: [75]}", Conclusion.TIMED_OUT, None, (), False),
    ],
)
def test_a_failure_is_tried_again_when_the_rule_covers_it(
    rule: str, conclusion: Conclusion, exit_code: int | None, log: tuple[str, ...], again: bool
) -> None:
    text = f"on: push\njobs: {{a: {{runs-on: linux, retry: {rule}, steps: [{{run: a}}]}}}}"
    state, _ = apply(create_run(make_plan(text)), RunStarted(), 1.0)
    found = JobResolved(key=JobKey("a"), combinations=(ResolvedCombination(id=JobId("a")),))
    state, _ = apply(state, found, 1.0)
    end = JobFinished(
        id=JobId("a"),
        attempt=1,
        conclusion=conclusion,
        failure_class=FailureClass.USER,
        exit_code=exit_code,
        log_texts=frozenset(log),
    )
    state, _ = apply(state, end, 1.0)
    assert (state.status is not Status.COMPLETED) == again
