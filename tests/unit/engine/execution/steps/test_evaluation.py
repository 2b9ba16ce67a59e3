"""Fields of steps that are evaluated when the step starts."""

from __future__ import annotations

import pytest

from pawl.core.model.errors import UsageError
from pawl.engine.execution.steps.evaluation import Evaluator

EVALUATOR = Evaluator(contexts={}, functions={})


@pytest.mark.parametrize(("minutes", "seconds"), [(None, None), (2, 120), (0.5, 30), (0, None), (-3, None)])
def test_a_timeout_of_nothing_is_no_limit(minutes: float | None, seconds: float | None) -> None:
    assert EVALUATOR.seconds(minutes, where="timeout-minutes") == seconds


def test_a_timeout_that_is_no_number_is_refused() -> None:
    with pytest.raises(UsageError, match="timeout-minutes"):
        EVALUATOR.seconds("soon", where="timeout-minutes")
