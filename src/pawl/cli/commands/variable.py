"""`pawl variable`: what jobs read as `vars`."""

from __future__ import annotations

from typing import Any

import click

from pawl.cli.examples import ExampleCommand, ExampleGroup
from pawl.cli.remote.answers import record, rows, text
from pawl.cli.remote.options import ask, read_asked, server_options
from pawl.cli.remote.showing import screen_of, write_json, write_lines
from pawl.cli.remote.value_options import path_of, read_value, scope_options, shown, take_scope
from pawl.cli.remote.values import draw_variables

_SET = (
    ("pawl variable set REGION eu-west-1", "every project's"),
    ("pawl variable set REGION eu-west-1 --project acme/site", "of one"),
)
_LIST = (("pawl variable list", "all of them"),)
_REMOVE = (("pawl variable remove REGION", "runs that begin later do not see it"),)


@click.group(name="variable", cls=ExampleGroup, examples=(_SET[0], *_LIST, *_REMOVE))
def command() -> None:
    """Set, list and remove the variables that jobs of a server read as `vars`."""


@command.command(name="set", cls=ExampleCommand, examples=_SET)
@click.argument("name")
@click.argument("value", required=False)
@scope_options
@server_options
def put(name: str, value: str | None, **options: Any) -> None:
    """Set the variable NAME to VALUE, or to what is asked for, or read from standard input."""
    path, scope = path_of("variables", name), take_scope(options)
    asked = read_asked(options)
    given = value if value is not None else read_value(f"Value of {name}", hidden=False)
    told = record(ask(asked, lambda client: client.put(path, {**scope, "value": given})), "variable")
    click.echo(f"Variable {text(told, 'name')} of {shown(scope)} is set.", err=True)


@command.command(name="list", cls=ExampleCommand, examples=_LIST)
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array.")
@server_options
@click.pass_context
def show_all(ctx: click.Context, /, *, as_json: bool, **options: Any) -> None:
    """List the variables with their values."""
    found = rows(ask(read_asked(options), lambda client: client.get("/api/variables")), "variables")
    if as_json:
        write_json(found)
        return
    screen = screen_of(ctx)
    if found:
        write_lines(draw_variables(found, screen), screen)
    else:
        click.echo("There is no variable yet: `pawl variable set` sets one.", err=True)


@command.command(name="remove", cls=ExampleCommand, examples=_REMOVE)
@click.argument("name")
@scope_options
@server_options
def remove(name: str, **options: Any) -> None:
    """Remove the variable NAME."""
    path, scope = path_of("variables", name), take_scope(options)
    ask(read_asked(options), lambda client: client.delete(path, scope))
    click.echo(f"Variable {name.upper()} of {shown(scope)} is removed.", err=True)
