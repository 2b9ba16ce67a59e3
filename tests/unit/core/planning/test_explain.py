from __future__ import annotations

import pytest

from pawl.core.model.events import Event
from pawl.core.planning.explain import explain_job, explain_step, explain_trigger
from pawl.core.planning.foresight import foresee_step, step_contexts
from tests.unit.core.planning.workflows import PUSH, plan_for

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
        ("", "runs", "if all steps before it succeed"),
        ("always()", "runs", "whatever happened before it"),
        ("failure()", "decided_later", "only if a step before it fails"),
        ("github.ref == 'x'", "skipped", "its condition is false"),
        ("branch == 'main'", "runs", "if all steps before it succeed"),
        ("matrix.v == 1", "runs", "if all steps before it succeed"),
        ("matrix.v == 2", "skipped", "its condition is false"),
        ("env.X == '1'", "decided_later", "`env`"),
        ("steps.x.outcome == 'success'", "decided_later", "`steps`"),
        ("hashFiles('x') == ''", "decided_later", "`hashFiles()`"),
        ("fromJSON('x')", "decided_later", "cannot be evaluated"),
    ],
)
def test_what_is_known_of_a_step_beforehand(condition: str, outlook: str, said: str) -> None:
    plan = plan_for(STEPS % condition)
    job = plan.job("a")
    contexts = step_contexts(plan, (job.combinations or ())[0])
    verdict = foresee_step(job.steps[0], contexts)
    assert verdict.outlook == outlook
    assert said in explain_step(job.steps[0], verdict)


def test_a_plan_is_told_in_sentences() -> None:
    plan = plan_for(STEPS % "", PUSH)
    assert explain_trigger(plan) == "Event `push` starts workflow.yml: the workflow listens to `push`."
    assert explain_job(plan.job("a")) == [
        "Job `a` would run: it needs nothing and has no condition.",
        "It makes 2 jobs: `a (1)`, `a (2)`.",
    ]
    other = plan_for(STEPS % "", Event(name="issues"))
    assert "does not start" in explain_trigger(other)


def test_what_cannot_run_is_said() -> None:
    plan = plan_for("a: {runs-on: macos-latest, environment: live, steps: [{run: make}]}")
    _, missing, note = explain_job(plan.job("a"))
    assert missing == "This version cannot run it as written: it runs on `macos-latest`; only Linux runs yet."
    assert note.startswith("Note: it deploys to environment `live`")
