"""Environments and approvals by the commands, on a real server with its worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.server import SECONDS, Machine
from tests.faults.processes import until

DEPLOY = """\
name: Deploy
on: [workflow_dispatch, pull_request]
jobs:
  ship:
    runs-on: ubuntu-latest
    environment:
      name: production
      url: ${{ steps.ship.outputs.url }}
    steps:
      - id: ship
        run: echo "url=https://example.org/$GITHUB_RUN_NUMBER" >> "$GITHUB_OUTPUT"
"""
ME = "first"
"""How the token is called that a server leaves for the commands of its own machine."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("server"))
    made.prepare()
    (made.project / ".github/workflows/deploy.yml").write_text(DEPLOY)
    made.commit()
    try:
        made.start()
        yield made
    finally:
        made.end()


def good(here: Machine, *arguments: str) -> tuple[str, str]:
    code, out, err = here.pawl(*arguments)
    assert code == 0, err
    return out, err


def run_of(here: Machine, number: int) -> dict[str, Any]:
    runs = json.loads(good(here, "runs", "--server", here.url, "--json")[0])
    found: dict[str, Any] = next(each for each in runs if each["id"] == number)
    return found


def ended(here: Machine, number: int) -> str:
    until(lambda: run_of(here, number)["conclusion"], "the run to end", seconds=SECONDS)
    return str(run_of(here, number)["conclusion"])


@pytest.fixture(scope="module")
def repository(here: Machine) -> str:
    """Return the project, whose environment `production` this machine's token has to approve."""
    name = str(run_of(here, here.trigger("deploy"))["repository"])
    good(here, "project", "add", name, "--forge", "github", "--url", "https://git.example/a/b.git")
    _, err = good(here, "environment", "set", name, "production", "--reviewer", ME, "--default-branch")
    assert f"production of {name}: approval by {ME}; the default branch alone." in err
    return name


def test_a_job_waits_for_its_environment_until_it_is_approved(here: Machine, repository: str) -> None:
    number = here.trigger("deploy")
    assert run_of(here, number)["status"] == "waiting"
    _, told = good(here, "trigger", "deploy")
    assert "it waits to be let in to environment `production`; `pawl approve" in " ".join(told.split())
    out, _ = good(here, "queue")
    assert "it waits for approval to deploy to environment `production`" in " ".join(out.split())
    _, err = good(here, "approve", str(number), "--comment", "fine")
    assert err == f"Environment production of run {number} is approved.\n"
    assert ended(here, number) == "success"
    _, err = good(here, "approve", str(number))
    assert err == f"Environment production of run {number} was approved already, by {ME}.\n"
    code, _, err = here.pawl("reject", str(number))
    assert code != 0
    assert f"was approved already by {ME}" in err
    out, _ = good(here, "logs", str(number))
    assert f"Deployed to https://example.org/{run_of(here, number)['number']}" in out


def test_a_rejected_job_fails_and_says_why(here: Machine, repository: str) -> None:
    number = here.trigger("deploy")
    out, _ = good(here, "reject", str(number), "-e", "Production", "--comment", "not today", "--json")
    assert json.loads(out)["state"] == "rejected"
    assert ended(here, number) == "failure"
    out, err = here.pawl("logs", str(number))[1:]
    assert "was rejected by first: not today" in out + err


def test_nothing_of_a_run_waits(here: Machine, repository: str) -> None:
    number = here.trigger("ci")
    code, _, err = here.pawl("approve", str(number))
    assert code != 0
    assert f"nothing of run {number} waits for approval" in err


def test_environments_are_listed_changed_and_removed(here: Machine, repository: str) -> None:
    good(here, "environment", "set", repository, "a/b", "--wait", "5", "--branch", "main", "--tag", "v*")
    out, _ = good(here, "environment", "list", repository)
    assert "a wait of 5 minutes; branches and tags like main, v*" in " ".join(out.split())
    found = json.loads(good(here, "environment", "list", repository, "--json")[0])
    assert [each["name"] for each in found] == ["a/b", "production"]
    set_ = ("environment", "set", repository, "a/b")
    _, err = good(here, *set_, "--no-reviewers", "--no-self-review", "--any-branch", "--wait", "0")
    assert "a/b of" in err
    assert "nothing." in err
    for wrong in ((), ("--any-branch", "--tag", "v1")):
        assert here.pawl(*set_, *wrong)[0] == 2
    good(here, "environment", "remove", repository, "a/b")
    assert here.pawl("environment", "remove", repository, "a/b")[0] != 0
    assert "No environment" in good(here, "environment", "list", repository)[1] or found
