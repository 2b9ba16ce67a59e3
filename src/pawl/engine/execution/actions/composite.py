"""Composite actions: steps within a step (actions/runner CompositeActionHandler.cs)."""

from __future__ import annotations

from collections.abc import Mapping

from pawl.core.expressions import ObjectValue
from pawl.core.model.errors import UsageError
from pawl.core.planning.convert import plan_step
from pawl.core.workflow.action_syntax import Action, CompositeRuns
from pawl.core.workflow.nodes import to_json
from pawl.engine.execution.bench import Bench
from pawl.engine.execution.steps.end import StepEnd
from pawl.engine.execution.steps.place import RunInner, StepPlace
from pawl.engine.execution.steps.scope import ActionPlace, Scope

_JOB_ONLY = frozenset({"secrets"})
"""Contexts that an action does not see; it gets such values as inputs."""


async def run_composite(
    action: Action,
    runs: CompositeRuns,
    inside: str,
    inputs: Mapping[str, str],
    place: StepPlace,
    bench: Bench,
    run_inner: RunInner,
) -> StepEnd:
    """Run a composite action's steps in a scope of their own, and return its outputs.

    Args:
        action: the whole file; `runs` is its part with the steps.
        runs: see `action`.
        inside: the action's folder, as the job sees it.
        inputs: complete, as text.
        place: the step that uses it.
        bench: what the job's steps work with.
        run_inner: runs the steps.

    Raises:
        UsageError: actions are nested too deep, or an output cannot be evaluated.
    """
    around = place.scope
    if around.depth >= bench.limits.composite_depth:
        raise UsageError(
            f"actions are nested deeper than {bench.limits.composite_depth} levels",
            hint="does an action use itself?",
        )
    place.log.write_group(f"Run {place.step.uses}", [f"{name}: {value}" for name, value in inputs.items()])
    scope = Scope(
        fixed={
            **{name: value for name, value in around.fixed.items() if name not in _JOB_ONLY},
            "inputs": ObjectValue(dict(inputs)),
        },
        overrides={**around.overrides, **place.own_env},
        action=ActionPlace(path=inside),
        depth=around.depth + 1,
        path=(*around.path, place.step.id),
        state=around.state.inner(),
        parent=around,
    )
    state = await run_inner([plan_step(step) for step in runs.steps], scope, place)
    evaluator = place.evaluator.with_contexts(
        inputs=scope.fixed["inputs"], steps=scope.steps_value(), env=ObjectValue({}, case_sensitive=True)
    )
    outputs = {
        output.name.text: evaluator.text(to_json(output.value), where=f"outputs.{output.name.text}")
        for output in action.outputs
        if output.value is not None
    }
    if state.failed:
        return StepEnd(
            succeeded=False,
            reason=scope.failure or f"a step of `{place.step.uses}` failed",
            exit_code=scope.exit_code,
            outputs=outputs,
            is_logged=True,
        )
    return StepEnd(succeeded=not state.cancelled, outputs=outputs)
