"""One documented check, and the small frames its examples stand in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import dedent, indent
from typing import Literal

from pawl.core.diagnostics.diagnostic import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A check.

    Attributes:
        title: what is found, in a few words.
        explanation: why it is a fault and what to do, for people who meet it.
        bad: a file that draws this check and no other; empty where only a run can draw it.
        good: the same file mended; it draws nothing.
        kind: what the examples are.
        limits: limits lowered for the example, by name, where the real ones would need a huge file.
        called: reusable workflows of the example, by reference.
    """

    code: str
    title: str
    explanation: str
    bad: str
    good: str
    severity: Severity = Severity.ERROR
    kind: Literal["workflow", "action"] = "workflow"
    limits: Mapping[str, int] = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)


def text(body: str) -> str:
    """Return an example without the indentation it has in the source."""
    return dedent(body).lstrip("\n")


def job(body: str) -> str:
    """Return a workflow with one job whose further keys are `body`."""
    head = "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n"
    return head + indent(text(body), "    ") + "    steps:\n      - run: make\n"


def steps(body: str) -> str:
    """Return a workflow with one job whose steps are `body`."""
    return "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n" + indent(
        text(body), "      "
    )


def triggers(body: str) -> str:
    """Return a workflow whose `on` is `body`."""
    tail = "jobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n"
    return "on:\n" + indent(text(body), "  ") + tail
