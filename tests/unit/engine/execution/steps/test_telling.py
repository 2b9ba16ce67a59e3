from __future__ import annotations

import pytest

from pawl.core.expressions import ObjectValue, Value
from pawl.core.model.ids import StepId
from pawl.core.model.plan import PlannedStep
from pawl.core.steps.outcome import StepsState
from pawl.engine.execution.steps.evaluation import Evaluator
from pawl.engine.execution.steps.telling import display_name, skip_reason

CONTEXTS: dict[str, Value] = {
    "env": ObjectValue({"V": "12", "LINES": "one\ntwo"}, case_sensitive=True),
    "github": ObjectValue({"ref": "main"}),
}
EVALUATOR = Evaluator(contexts=CONTEXTS, functions={})


def step(**fields: object) -> PlannedStep:
    values: dict[str, object] = {"kind": "run", "run": "x", **fields}
    return PlannedStep(id=StepId("__run"), has_own_id=False, line=1, **values)  # type: ignore[arg-type]  # test data


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"name": "Build ${{ github.ref }}"}, "Build main"),
        ({"name": "Python $V, ${NONE:-any}"}, "Python 12, any"),
        ({"name": "${{ env.LINES }}"}, "one two"),
        ({"name": "${{ github.ref"}, "${{ github.ref"),
        ({"run": "\n  echo $V\nmore"}, "Run echo $V"),
        ({"kind": "uses", "run": None, "uses": "./x"}, "Run ./x"),
        ({"name": "  "}, "Run x"),
    ],
)
def test_names_of_steps(fields: dict[str, object], name: str) -> None:
    assert display_name(step(**fields), EVALUATOR) == name


def test_a_name_is_as_written_without_an_evaluator() -> None:
    assert display_name(step(name="Build ${{ github.ref }}")) == "Build ${{ github.ref }}"


@pytest.mark.parametrize(
    ("condition", "state", "reason"),
    [
        (" env.X ", StepsState(), "its condition is false: env.X"),
        (None, StepsState(failed=True), "an earlier step failed"),
        (None, StepsState(cancelled=True, failed=True), "the job was cancelled"),
    ],
)
def test_why_a_step_did_not_run(condition: str | None, state: StepsState, reason: str) -> None:
    assert skip_reason(step(condition_text=condition), state) == reason
