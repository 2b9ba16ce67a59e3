"""The triggers of the conformance set, told by webhooks of GitHub and Gitea instead of as events."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind
from pawl.core.triggers import match_trigger
from pawl.core.workflow.parse import parse_workflow
from tests.conformance.harness import DATA_FOLDER
from tests.contract.test_forge import read
from tests.webhooks import gitea, github, signed

_TOLD = ("push", "pull_request", "pull_request_target")
_GITEAS = {"synchronize": "synchronized", "labeled": "label_updated", "unlabeled": "label_cleared"}


def _cases() -> list[dict[str, Any]]:
    path = DATA_FOLDER / "triggers.json"
    if not path.exists():
        pytest.skip(f"no data in {DATA_FOLDER} (PAWL_CONFORMANCE)")
    cases = json.loads(path.read_text("utf-8"))["cases"]
    return [case for case in cases if case["event"]["name"] in _TOLD]


def _github(told: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if told["name"] == "push":
        return "push", github.push(ref=told["ref"])
    base = {"ref": told["base"], "sha": "c" * 40, "repo": github.REPOSITORY}
    head = {"ref": told["head"], "sha": "b" * 40, "repo": github.REPOSITORY}
    body = {"action": told["action"], "pull_request": github.pull_request(base=base, head=head)}
    return "pull_request", {**body, "repository": github.REPOSITORY, "sender": github.SENDER}


def _gitea(told: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if told["name"] == "push":
        return "push", gitea.push(ref=told["ref"])
    base = {"ref": told["base"], "sha": "c" * 40, "repo": gitea.REPOSITORY}
    head = {"ref": told["head"], "sha": "b" * 40, "repo": gitea.REPOSITORY}
    action = _GITEAS.get(told["action"], told["action"])
    return "pull_request", gitea.pull(action, base=base, head=head)


@pytest.mark.parametrize(("kind", "make"), [(ForgeKind.GITHUB, _github), (ForgeKind.GITEA, _gitea)])
def test_a_webhook_starts_what_its_event_starts(kind: ForgeKind, make: Any) -> None:
    wrong = []
    cases = _cases()
    for case in cases:
        told = case["event"]
        name, body = make(told)
        events: tuple[Event, ...] = read(signed(kind, name, body), kind).events
        (event,) = (each for each in events if each.name == told["name"])
        event = replace(event, changed_files=tuple(told["files"]) if told.get("files") is not None else None)
        jobs = {"a": {"runs-on": "ubuntu-latest", "steps": [{"run": "true"}]}}
        workflow = parse_workflow(json.dumps({"on": case["on"], "jobs": jobs})).workflow
        assert workflow is not None
        if match_trigger(workflow.triggers, event).started != case["run"]:
            wrong.append(case["id"])
    assert wrong == []
    assert len(cases) > 100
