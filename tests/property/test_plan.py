"""Plans: what is foreseen comes true, and storing loses nothing."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.core.model.events import Event
from pawl.core.model.ids import JobKey
from pawl.core.model.needs import NeedResult
from pawl.core.model.plan import Outlook, Plan
from pawl.core.model.status import Conclusion
from pawl.core.planning.plan import plan_workflow
from pawl.core.planning.resolve import resolve_job
from pawl.core.planning.storage import plan_from_json, plan_to_json
from pawl.core.workflow.parse import parse_workflow

CONDITIONS = (
    "",
    "",
    "true",
    "false",
    "always()",
    "failure()",
    "!cancelled()",
    "success() || failure()",
    "always() && github.ref == 'x'",
    "github.event_name == 'push'",
    "contains(needs.*.result, 'failure')",
    "always() && contains(needs.*.result, 'skipped')",
    "!failure() && !contains(needs.*.result, 'success')",
)
ENDS = (Conclusion.SUCCESS, Conclusion.FAILURE)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a planned workflow of up to six jobs with all kinds of conditions."""
    jobs: dict[str, object] = {}
    for index in range(draw(st.integers(1, 6))):
        needs = [key for key in jobs if draw(st.booleans())]
        job = {"runs-on": "x", "needs": needs, "steps": [{"run": "true"}]}
        condition = draw(st.sampled_from(CONDITIONS))
        jobs[f"j{index}"] = {**job, "if": condition} if condition else job
    parsed = parse_workflow(json.dumps({"on": "push", "jobs": jobs}))
    assert parsed.workflow is not None, parsed.diagnostics
    planned = plan_workflow(parsed.workflow, Event(name="push"))
    assert planned.plan is not None, planned.diagnostics
    return planned.plan


@settings(max_examples=120, deadline=None)
@given(plans(), st.data())
def test_what_planning_is_sure_of_comes_true(plan: Plan, data: st.DataObject) -> None:
    results: dict[JobKey, Conclusion] = {}
    for job in plan.jobs:
        resolution = resolve_job(
            job,
            plan,
            needs={key: NeedResult(result=results[key]) for key in job.needs},
            ancestors={key: results[key] for key in job.ancestors},
        )
        assert resolution.error is None
        runs = resolution.verdict.outlook is Outlook.RUNS
        if job.verdict.outlook is not Outlook.DECIDED_LATER:
            assert (job.verdict.outlook is Outlook.RUNS) is runs, (job.condition, job.verdict, results)
        results[job.key] = data.draw(st.sampled_from(ENDS)) if runs else Conclusion.SKIPPED


@settings(max_examples=60, deadline=None)
@given(
    plans(), st.dictionaries(st.text(max_size=3), st.floats() | st.text(max_size=3) | st.none(), max_size=3)
)
def test_a_stored_plan_comes_back_equal(plan: Plan, payload: dict[str, object]) -> None:
    event = Event(name="push", payload={"$number": "nan", "deep": [payload]}, changed_files=("a",))
    whole = Plan(
        path=plan.path, name=plan.name, run_name="", event=event, trigger=plan.trigger, jobs=plan.jobs
    )
    stored = json.loads(json.dumps(plan_to_json(whole), allow_nan=False))
    assert repr(plan_from_json(stored)) == repr(whole)
