"""Approving and rejecting by the API of a real server: who may, what is answered, what is noted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.serving import LABEL, Serving
from tests.integration.serving import serving as opened

FORKED = f"on: pull_request\njobs: {{build: {{runs-on: {LABEL}, steps: [{{run: make}}]}}}}\n"
SHIP = f"""
on: workflow_dispatch
jobs: {{ship: {{environment: a/live, runs-on: {LABEL}, steps: [{{run: make}}]}}}}
"""
PROJECT = {"name": "a/b", "forge": "github", "clone_url": "https://git.example/a/b.git"}
LIVE = "/api/environments/a%2Flive"


@pytest.fixture
async def serving(tmp_path: Path) -> AsyncIterator[Serving]:
    async with opened(tmp_path) as made:
        yield made


@pytest.fixture
async def protected(serving: Serving) -> Serving:
    assert (await serving.ask("POST", "/api/projects", json=PROJECT)).status == 201
    body = {"project": "a/b", "reviewers": ["user", "admin"]}
    assert (await serving.ask("PUT", LIVE, json=body)).status == 200
    return serving


async def run_of(serving: Serving, run: int) -> Any:
    return (await serving.ask("GET", f"/api/runs/{run}", by="read")).json


async def test_a_run_from_a_fork_waits_and_is_approved(serving: Serving) -> None:
    run = await serving.trigger(FORKED, event="pull_request", action="opened", from_fork=True)
    assert (await run_of(serving, run))["status"] == "waiting"
    listed = await serving.ask("GET", "/api/runs?status=waiting", by="read")
    assert [each["id"] for each in listed.json["runs"]] == [run]
    (waits,) = (await serving.ask("GET", "/api/approvals", by="read")).json["approvals"]
    assert (waits["run"], waits["environment"], waits["state"]) == (run, "", "waiting")
    (entry,) = (await serving.ask("GET", "/api/queue", by="read")).json["queue"]
    assert entry["reason"].startswith("it waits for approval: ")
    for by, status in ((None, 401), ("read", 403), ("worker", 403)):
        assert (await serving.ask("POST", f"/api/runs/{run}/approve", by=by)).status == status
    answer = await serving.ask("POST", f"/api/runs/{run}/approve", by="user", json={"comment": "fine"})
    assert (answer.status, answer.json["state"], answer.json["repeated"]) == (200, "approved", False)
    again = await serving.ask("POST", f"/api/runs/{run}/approve", by="user")
    assert (again.status, again.json["repeated"], again.json["comment"]) == (200, True, "fine")
    assert (await serving.ask("POST", f"/api/runs/{run}/reject", by="user")).status == 409
    assert (await run_of(serving, run))["status"] == "queued"
    (kept,) = (await serving.ask("GET", f"/api/runs/{run}/approvals", by="read")).json["approvals"]
    assert (kept["decided_by"], kept["state"]) == ("user", "approved")
    noted = (await serving.ask("GET", "/api/audit")).json["audit"]
    assert [each["action"] for each in noted if each["by"] == "user"] == ["approval.approve"]


async def test_only_an_administrator_says_that_a_commit_comes_from_a_fork(serving: Serving) -> None:
    body = {"path": "w.yml", "workflow": FORKED, "event": "pull_request.opened", "from_fork": True}
    assert (await serving.ask("POST", "/api/runs", by="user", json=body)).status == 403
    assert (await serving.ask("POST", "/api/runs", by="admin", json=body)).status == 201
    assert (
        await serving.ask("POST", "/api/runs", by="user", json={**body, "from_fork": False})
    ).status == 201


async def test_an_environment_is_let_in_by_its_reviewers(protected: Serving) -> None:
    run = await protected.trigger(SHIP)
    assert (await run_of(protected, run))["reason"] == "it waits to be let in to environment `a/live`"
    path = f"/api/runs/{run}/approve"
    assert (await protected.ask("POST", path, by="user")).status == 404, "it is no fork"
    wanted = {"environment": "A/Live", "attempt": 2}
    assert (await protected.ask("POST", path, by="user", json=wanted)).status == 409
    answer = await protected.ask("POST", path, by="user", json={**wanted, "attempt": 1})
    assert answer.json["state"] == "approved"
    link = await protected.worker()
    (work,) = await link.lease("request-1", 1, 10)
    assert work.lease.ref.job == "ship"


async def test_who_is_no_reviewer_is_told_so(protected: Serving) -> None:
    body = {"project": "a/b", "reviewers": ["user"]}
    assert (await protected.ask("PUT", LIVE, json=body)).status == 200
    run = await protected.trigger(SHIP)
    answer = await protected.ask("POST", f"/api/runs/{run}/approve", json={"environment": "a/live"})
    assert answer.status == 403
    assert b"no reviewer" in answer.body
    for unknown in ("nobody", "read", "worker"):
        refused = await protected.ask("PUT", LIVE, json={**body, "reviewers": [unknown]})
        assert refused.status == 400, "whoever cannot approve is no reviewer"


async def test_who_asked_for_a_run_does_not_approve_it_whoever_its_actor_is_said_to_be(
    protected: Serving,
) -> None:
    strict = {"project": "a/b", "prevent_self_review": True}
    assert (await protected.ask("PUT", LIVE, json=strict)).status == 200
    body = {"repository": "a/b", "path": ".github/workflows/x.yml", "workflow": SHIP, "actor": "Ann of git"}
    run = (await protected.ask("POST", "/api/runs", by="user", json=body)).json["id"]
    path, wanted = f"/api/runs/{run}/approve", {"environment": "a/live"}
    refused = await protected.ask("POST", path, by="user", json=wanted)
    assert (refused.status, "started the run" in refused.json["detail"]) == (403, True)
    assert (await protected.ask("POST", path, by="admin", json=wanted)).status == 200


async def test_environments_are_made_listed_and_removed(protected: Serving) -> None:
    listed = await protected.ask("GET", "/api/environments?project=a/b", by="read")
    (live,) = listed.json["environments"]
    assert (live["name"], live["reviewers"], live["rule"]) == ("a/live", ["user", "admin"], "any")
    assert (await protected.ask("PUT", LIVE, by="user", json={"project": "a/b"})).status == 403
    assert (await protected.ask("PUT", LIVE, json={"project": "a/b", "rule": "some"})).status == 400
    assert (await protected.ask("PUT", LIVE, json={"project": "a/c"})).status == 404
    changed = await protected.ask("PUT", LIVE, json={"project": "a/b", "wait_minutes": 5, "rule": "default"})
    assert (changed.json["wait_minutes"], changed.json["reviewers"]) == (5.0, ["user", "admin"])
    assert (await protected.ask("DELETE", f"{LIVE}?project=a/b")).status == 200
    assert (await protected.ask("DELETE", f"{LIVE}?project=a/b")).status == 404
