from __future__ import annotations

import json
import math

import pytest

import pawl
from pawl.core.expressions import ExpressionError
from pawl.core.model.errors import UsageError
from pawl.core.model.events import Event
from pawl.core.planning.dot import plan_to_dot
from pawl.core.planning.storage import plan_from_json, plan_to_json
from tests.unit.core.planning.workflows import job, plan_for

WORKFLOW = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: make}]\n"


def test_a_plan_survives_json_exactly() -> None:
    event = Event(name="push", payload={"a": [1, None, {"$number": "nan"}], "n": math.inf, "$mapping": 1})
    plan = plan_for(
        job("a", "strategy: {matrix: {v: [1, .inf, true]}}", "env: {X: '${{ vars.y }}'}")
        + job("b", "needs: a"),
        event,
    )
    stored = json.dumps(plan_to_json(plan), allow_nan=False)
    assert plan_from_json(json.loads(stored)) == plan


@pytest.mark.parametrize(
    "data", [None, [], {}, {"version": 2, "plan": {}}, {"version": 1, "plan": {"path": 1}}, {"version": 1}]
)
def test_what_is_no_plan_is_refused(data: object) -> None:
    with pytest.raises(UsageError, match="not a stored plan"):
        plan_from_json(data)  # type: ignore[arg-type]  # anything may lie in a file


def test_dot_quotes_what_files_bring_along() -> None:
    plan = plan_for(job("a", "strategy: {matrix: {v: [1, 2]}}") + job("b", "needs: a"), top="name: 'x\"; y'")
    dot = plan_to_dot(plan)
    assert dot.startswith('digraph "x\\"; y" {')
    assert '"a" -> "b";' in dot
    assert 'label="a\\n2 jobs"' in dot


def test_the_python_api_parses_evaluates_and_plans() -> None:
    assert pawl.evaluate("${{ github.ref_name == 'main' }}", {"github": {"ref_name": "main"}}) is True
    assert pawl.evaluate("fromJSON('[1, 2.5]')") == [1, 2.5]
    assert pawl.evaluate("failure()", status="failure") is True
    assert pawl.parse_workflow(WORKFLOW).workflow is not None
    planned = pawl.plan(WORKFLOW, pawl.Event(name="push"))
    assert planned.plan is not None
    assert [each.key for each in planned.plan.jobs] == ["a"]
    assert pawl.plan("on: push\njobs: {a: {needs: b}}").plan is None
    with pytest.raises(ExpressionError):
        pawl.evaluate("1 +")
    with pytest.raises(AttributeError):
        pawl.nothing  # type: ignore[attr-defined]  # noqa: B018 - that is the point
