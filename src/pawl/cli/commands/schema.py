"""`pawl schema`: the JSON Schema of workflow files."""

from __future__ import annotations

import json

import click

from pawl.cli.examples import ExampleCommand
from pawl.core.workflow.json_schema import json_schema


@click.command(
    name="schema",
    cls=ExampleCommand,
    examples=(
        ("pawl schema > workflow.schema.json", "for an editor that checks YAML by schema"),
        ("pawl schema | jq '.properties | keys'", "the keys of a workflow"),
    ),
)
def command() -> None:
    """Print the JSON Schema of workflow files, made from the same grammar that Pawl checks them with."""
    click.echo(json.dumps(json_schema(), indent=2))
