"""A plan as plain data and back, exactly: for files, databases and `--json`."""

from __future__ import annotations

from pawl.core.model.errors import UsageError
from pawl.core.model.plain import from_plain, to_plain
from pawl.core.model.plan import Json, Plan

VERSION = 1


def plan_to_json(plan: Plan) -> dict[str, Json]:
    """Return the plan as JSON-able data, with a version.

    Fields at their defaults are written too: a later version may have other defaults, and the plan stays.
    """
    return {"version": VERSION, "plan": to_plain(plan)}


def plan_from_json(data: Json) -> Plan:
    """Return the plan that `plan_to_json` wrote; fields that a later version added have their defaults.

    Raises:
        UsageError: the data is of another version or no plan.
    """
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise UsageError(f"this is not a stored plan of version {VERSION}")
    return from_plain(Plan, data.get("plan"), "plan")
