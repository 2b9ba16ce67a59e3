"""We eat what we cook: this project's own workflow plans, and `pawl run` runs a job of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAWL = str(Path(sys.executable).with_name("pawl"))


def _pawl(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [PAWL, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_our_workflow_has_no_findings() -> None:
    result = _pawl("validate", "--strict", ".github/workflows/ci.yml")
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_push_to_main_starts_every_job_of_it() -> None:
    result = _pawl("plan", "--json", "--event", "push", "--branch", "main", ".github/workflows/ci.yml")
    assert result.returncode == 0, result.stderr
    assert {"check", "unit", "test"} <= set(_job_keys(json.loads(result.stdout)))


def _job_keys(plan: object) -> list[str]:
    """Return every `key` of a job anywhere in the plan's JSON."""
    if isinstance(plan, dict):
        own = [plan["key"]] if isinstance(plan.get("key"), str) else []
        return own + [key for value in plan.values() for key in _job_keys(value)]
    return [key for value in plan for key in _job_keys(value)] if isinstance(plan, list) else []


def test_pawl_run_runs_our_unit_job_on_the_working_tree() -> None:
    result = _pawl("run", ".github/workflows/ci.yml", "-j", "unit", "--executor", "host", "--json")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    log = "".join(event.get("data", "") for event in events if event["type"] == "log_appended")
    assert result.returncode == 0, log[-3000:] + result.stderr[-1000:]
    assert events[-1]["conclusion"] == "success"
    assert " passed in " in log
