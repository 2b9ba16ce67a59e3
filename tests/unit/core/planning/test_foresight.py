from __future__ import annotations

import pytest

from pawl.core.planning.foresight import foresee_steps
from tests.unit.core.planning.workflows import job, plan_for

STEPS = """
a:
  runs-on: ubuntu-latest
  strategy: {matrix: {v: [1, 2]}}
  steps:
    - run: make
      if: "%s"
"""


@pytest.mark.parametrize(
    ("condition", "outlook", "said"),
    [
        ("", "runs", "it has no condition"),
        ("always()", "runs", "its condition is true"),
        ("failure()", "decided_later", "only if a step before it fails"),
        ("cancelled()", "decided_later", "only if the job is cancelled"),
        ("github.ref == 'x'", "skipped", "its condition is false"),
        ("branch == 'main'", "runs", "its condition is true"),
        ("matrix.v < 3", "runs", "its condition is true"),
        ("matrix.v == 2", "runs", "true in `a (2)` only"),
        ("matrix.v == 3", "skipped", "its condition is false"),
        ("env.X == steps.x.outcome", "decided_later", "`env` and `steps`"),
        ("hashFiles('x') == ''", "decided_later", "`hashFiles`"),
        ("fromJSON('x')", "decided_later", "it cannot be told"),
    ],
)
def test_what_is_known_of_a_step_beforehand(condition: str, outlook: str, said: str) -> None:
    plan = plan_for(STEPS % condition)
    (verdict,) = foresee_steps(plan, plan.job("a"))
    assert verdict.outlook == outlook
    assert said in verdict.reason


def test_without_combinations_the_matrix_is_unknown() -> None:
    jobs = job("a") + job("b", "needs: a", "strategy: {matrix: '${{ fromJSON(needs.a.outputs.m) }}'}")
    plan = plan_for(
        jobs.replace("steps: [{run: 'true'}]", "steps: [{run: 'true', if: matrix.v}]", 2).replace(
            "if: matrix.v", "if: true", 1
        )
    )
    (verdict,) = foresee_steps(plan, plan.job("b"))
    assert verdict.reason == "its condition looks at `matrix`"
