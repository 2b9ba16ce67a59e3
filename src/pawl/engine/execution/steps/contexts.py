"""The contexts of one step, built by pure functions from what its job and its scope know."""

from __future__ import annotations

from collections.abc import Mapping

from pawl.core.expressions import ObjectValue, Value
from pawl.engine.execution.environment import SharedEnvironment
from pawl.engine.execution.steps.scope import Scope


def base_environment(scope: Scope, shared: SharedEnvironment) -> dict[str, str]:
    """Return the `env` context before a step's own `env`.

    GITHUB_ENV is over the job's `env`; inside an action the `env` of the step that uses it is over both
    (actions/runner CompositeActionHandler.cs).
    """
    return {**shared.variables, **scope.overrides}


def step_contexts(
    scope: Scope, *, step: str, env: Mapping[str, str], job_status: str, event_path: str
) -> dict[str, Value]:
    """Return all contexts for a step called `step` whose environment is `env`."""
    return {
        **scope.fixed,
        "github": _github(scope, step, event_path),
        "job": _job(scope.fixed.get("job"), job_status),
        "env": ObjectValue(dict(env), case_sensitive=True),
        "steps": scope.steps_value(),
    }


def _github(scope: Scope, step: str, event_path: str) -> ObjectValue:
    fixed = scope.fixed.get("github")
    properties: dict[str, Value] = dict(fixed) if isinstance(fixed, ObjectValue) else {}
    properties |= {"action": step, "event_path": event_path}
    if scope.action is not None:
        properties |= {
            "action_path": scope.action.path,
            "action_repository": scope.action.repository,
            "action_ref": scope.action.ref,
            "action_status": scope.state.job_status,
        }
    return ObjectValue(properties)


def _job(fixed: Value, status: str) -> ObjectValue:
    return ObjectValue({**(fixed if isinstance(fixed, ObjectValue) else {}), "status": status})
