"""Whole `on:` values against events: does the workflow start."""

from __future__ import annotations

import json
from typing import Any

from pawl.core.model.events import Event
from pawl.core.triggers import match_trigger
from pawl.core.workflow.parse import parse_workflow


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when the case holds, else what differed."""
    # JSON is YAML, so the case goes through the parser as a file does.
    jobs = {"a": {"runs-on": "ubuntu-latest", "steps": [{"run": "true"}]}}
    parsed = parse_workflow(json.dumps({"on": case["on"], "jobs": jobs}))
    if parsed.workflow is None:
        return f"not parsed: {parsed.diagnostics[0].message}"
    match = match_trigger(parsed.workflow.triggers, _event(case["event"]))
    return None if match.started == case["run"] else f"started {match.started}: {match.reason}"


def _event(event: dict[str, Any]) -> Event:
    files = event.get("files")
    return Event(
        name=event["name"],
        action=event.get("action"),
        ref=event.get("ref", "refs/pull/1/merge" if "base" in event else "refs/heads/main"),
        base_ref=event.get("base", ""),
        head_ref=event.get("head", ""),
        changed_files=None if files is None else tuple(files),
    )
