"""A run's state as plain data and back, exactly."""

from __future__ import annotations

from pawl.core.lifecycle.state import RunState
from pawl.core.model.errors import UsageError
from pawl.core.model.plain import from_plain, to_plain
from pawl.core.model.plan import Json

VERSION = 1


def state_to_json(run: RunState) -> dict[str, Json]:
    """Return the state as JSON-able data, with a version."""
    return {"version": VERSION, "run": to_plain(run)}


def state_from_json(data: Json) -> RunState:
    """Return the state that `state_to_json` wrote.

    Raises:
        UsageError: the data is of another version or no state.
    """
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise UsageError(f"this is not a stored run state of version {VERSION}")
    return from_plain(RunState, data.get("run"), "run state")
