"""`pawl reject`: end what waits for a person."""

from __future__ import annotations

from typing import Any

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.remote.deciding import decide, decision_options


@click.command(
    name="reject",
    cls=ExampleCommand,
    examples=(
        ('pawl reject 12 --comment "not today"', "end what waits of run 12, and say why"),
        ("pawl reject 12 -e production", "fail the jobs that wait for that environment"),
    ),
)
@decision_options
def command(run: str, **options: Any) -> None:
    """Reject what waits of RUN: a run from a fork is cancelled, jobs that wait for an environment fail."""
    decide(run, options, word="reject")
