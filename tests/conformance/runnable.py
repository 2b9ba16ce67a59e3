"""The runnable cases: act's end-to-end table, run for real on the host and in containers.

Not a set of the table: a case here takes processes. A case that cannot be run here has its reason.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pawl.adapters.executor_docker import DockerExecutor
from pawl.adapters.executor_host import HostExecutor
from pawl.adapters.runs_folder import owner_token
from pawl.core.model.events import Event
from pawl.testing.builders import FileSource, make_plan
from pawl.testing.scenarios import Finished, Scenario
from tests.conformance import harness

_BUILT_IN = ("actions/checkout@",)
_REASONS = {
    "windows-prepend-path": "needs Windows",
    "windows-add-env-powershell-5": "needs Windows",
    "shells/pwsh": "needs PowerShell",
    "shells/python": "asks for a container with Python",
    "local-action-docker-url": "its action's files are not kept",
    "uses-nested-composite": "uses actions/setup-node inside its actions",
    "local-action-dockerfile": "needs to build an image",
    "local-action-js": "uses JavaScript actions",
    "ensure-post-steps": "uses JavaScript actions",
    "post-step-failure-is-job-failure": "uses JavaScript actions",
    "job-container-non-root": "needs a container",
    "services-with-container": "needs a container",
    "mysql-service-container-with-health-check": "needs a container",
    "workflow_call_inputs": "a reusable workflow started by itself",
}


_ONLY_IN_CONTAINERS = ("services-empty-image",)
_NEEDS_REGISTRY = ("fail",)
IMAGE = "pawl/debian:test"
_LABELS = ("ubuntu-latest", "ubuntu-18.04", "ubuntu-16.04", "macos-latest", "windows-latest")
"""Labels that stand for something, as `platforms` in act's tests."""


def cases() -> list[dict[str, Any]]:
    """Return all cases; each has its `folder`."""
    data = json.loads((harness.DATA_FOLDER / "runnable.json").read_text("utf-8"))
    found: list[dict[str, Any]] = data["cases"]
    return found


def why_not(case: dict[str, Any], programs: Collection[str] = ()) -> str | None:
    """Return why a case cannot be run here, None when it can."""
    name = case["path"].partition("testdata/")[2]
    if case["test"] not in ("TestRunEvent", "TestRunEventHostEnvironment"):
        return "tests an option of act's"
    if name in _NEEDS_REGISTRY and runs_in_containers(case):
        return "its failing job asks for an image of a registry; without one it fails for another reason"
    if name in _REASONS and name.removeprefix("shells/") not in programs:
        return _REASONS[name]
    remote = [use for use in case["uses"] if not use.startswith(("./", *_BUILT_IN))]
    if remote and case["expect"] == "success":
        return f"uses {remote[0]}, an action of another repository or an image of a registry"
    return None


def runs_in_containers(case: dict[str, Any]) -> bool:
    """Return whether a case is run in containers: as act does, where it has a twin for the host."""
    name = case["path"].partition("testdata/")[2]
    twin = any(_is_host_twin(other, case) for other in cases())
    return case["test"] == "TestRunEvent" and (twin or name in _ONLY_IN_CONTAINERS)


def _is_host_twin(other: dict[str, Any], case: dict[str, Any]) -> bool:
    return (other["path"], other["test"]) == (case["path"], "TestRunEventHostEnvironment")


def run_case(case: dict[str, Any]) -> Finished:
    """Run a case, in containers or on the host."""
    base = harness.DATA_FOLDER / "runnable" / Path(case["path"]).parent
    folder = harness.DATA_FOLDER / "runnable" / case["path"]
    workflow = next(iter(sorted(folder.glob("push.y*ml"))))
    event = Event(name=case["event"], actor="nektos/act", repository="nektos/act")
    plan = make_plan(workflow.read_text("utf-8"), event=event, path=f".github/workflows/{workflow.name}")
    files = {str(path.relative_to(base)): path.read_text("utf-8") for path in _files(base)}
    root = Path(tempfile.mkdtemp(prefix="pawl-runnable-"))
    in_containers = runs_in_containers(case)

    async def run() -> Finished:
        executor = DockerExecutor() if in_containers else HostExecutor()
        scenario = Scenario(executor=executor, root=root, source=FileSource(files), owner=owner_token())
        images = dict.fromkeys(_LABELS, IMAGE if in_containers else "-self-hosted")
        try:
            return await scenario.run(plan, secrets=case["secrets"] or {}, images=images)
        finally:
            await executor.aclose()

    try:
        return asyncio.run(run())
    finally:
        shutil.rmtree(root)


def _files(base: Path) -> Iterator[Path]:
    return (path for path in base.rglob("*") if path.is_file())
