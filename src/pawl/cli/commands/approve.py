"""`pawl approve`: let go on what waits for a person."""

from __future__ import annotations

from typing import Any

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.remote.deciding import decide, decision_options


@click.command(
    name="approve",
    cls=ExampleCommand,
    examples=(
        ("pawl approve 12", "let run 12 go on, which came from a fork or waits for an environment"),
        ("pawl approve 12 -e production", "the jobs that wait for that environment"),
        ('pawl approve 12 --comment "looks good"', "with a word that is kept"),
    ),
)
@decision_options
def command(run: str, **options: Any) -> None:
    """Approve what waits of RUN: a run from a fork, or the jobs that wait for an environment.

    What is approved of a fork is its commit: another one has to be approved again. What is approved of an
    environment is this start of the run. `pawl environment list` says who may.
    """
    decide(run, options, word="approve")
