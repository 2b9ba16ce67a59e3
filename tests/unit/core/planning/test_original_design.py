"""The original design's own examples, in its spelling, are read and planned."""

from __future__ import annotations

import pytest

import pawl
from pawl.core.model.events import Event
from pawl.core.model.plan import Plan

ECHO = """\
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - name: Echo
        command: echo "Hello"
"""
GREETING = """\
environment:
  GREETING: "Hello"
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - name: Print
        command: echo $GREETING ${GREETING}
"""
GRAPH = """\
jobs:
  A:
    name: first
    runs-on: alpine:latest
    matrix: {go: ["1.19", "1.20"], os: ["linux"]}
    artifacts: [output.txt, "*.txt"]
    steps:
      - name: Touch
        command: touch output.txt
        if: branch == 'main' && event == 'push'
  B:
    needs: A
    runs-on: ${matrix.os}-runner:latest
    matrix: {os: [a, b]}
    env: {LEVEL: job}
    steps:
      - {name: Fail, command: exit 1}
  C:
    needs: [A]
    runs-on: python:3.12
    steps:
      - {name: Loop, command: "for i in 1 2 3; do echo $i; done"}
"""
STAGES = """\
stages: [build, test, deploy]
jobs:
  compile: {stage: build, runs-on: "golang:1.22", timeout: 10m, steps: [{command: make}]}
  unit: {stage: test, runs-on: "golang:1.22", retry: 2, steps: [{command: make test}]}
  lint: {stage: test, runs-on: "golang:1.22", priority: 5, steps: [{command: make lint}]}
  ship: {stage: deploy, runs-on: "alpine:3", env_file: ship.env, steps: [{command: make ship}]}
"""


def planned(text: str, event: str = "push") -> Plan:
    found = pawl.plan(text, Event(name=event, ref="refs/heads/main"))
    assert found.plan is not None, found.diagnostics
    return found.plan


@pytest.mark.parametrize("text", [ECHO, GREETING, GRAPH, STAGES])
@pytest.mark.parametrize("event", ["push", "pull_request", "workflow_dispatch"])
def test_an_example_without_on_starts_at_every_change_and_by_hand(text: str, event: str) -> None:
    assert planned(text, event).trigger.outlook == "runs"


def test_the_graph_of_the_example_is_ordered_and_expanded() -> None:
    jobs = {str(job.key): job for job in planned(GRAPH).jobs}
    assert [job.needs for job in jobs.values()] == [(), ("A",), ("A",)]
    assert [each.name for each in jobs["A"].combinations or ()] == [
        "first (1.19, linux)",
        "first (1.20, linux)",
    ]
    assert [each.values for each in jobs["B"].combinations or ()] == [{"os": "a"}, {"os": "b"}]


def test_stages_become_needs() -> None:
    needs = {job.key: set(job.needs) for job in planned(STAGES).jobs}
    assert needs == {"compile": set(), "unit": {"compile"}, "lint": {"compile"}, "ship": {"unit", "lint"}}


def test_a_file_of_githubs_keys_still_needs_on() -> None:
    found = pawl.parse_workflow(ECHO.replace("command", "run"), "a.yml").diagnostics
    assert [each.code for each in found] == ["missing-key"]
