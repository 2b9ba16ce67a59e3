"""`pawl secret`: what jobs may know and nobody may read."""

from __future__ import annotations

from typing import Any

import click

from pawl.cli.examples import ExampleCommand, ExampleGroup
from pawl.cli.remote.answers import record, rows, text
from pawl.cli.remote.options import ask, read_asked, server_options
from pawl.cli.remote.showing import screen_of, write_json, write_lines
from pawl.cli.remote.value_options import path_of, read_value, scope_options, shown, take_scope
from pawl.cli.remote.values import draw_secrets, draw_uses
from pawl.core.model.plan import Json

_SET = (
    ("pawl secret set DEPLOY_KEY --project acme/site < key.pem", "from a file"),
    ("pawl secret set NPM_TOKEN", "asked for, and every project's"),
)
_LIST = (("pawl secret list", "which there are, and when each was used"),)
_USES = (("pawl secret uses DEPLOY_KEY", "which jobs were given it"),)
_REMOVE = (("pawl secret remove DEPLOY_KEY --project acme/site", "no job is given it any more"),)
_ROTATE = (("pawl secret rotate-key", "seal all of them under a new key"),)


@click.group(name="secret", cls=ExampleGroup, examples=(_SET[0], *_LIST, *_USES, *_ROTATE))
def command() -> None:
    """Set, list and remove the secrets that a server gives to jobs. Their values never come back."""


@command.command(name="set", cls=ExampleCommand, examples=_SET)
@click.argument("name")
@scope_options
@server_options
def put(name: str, **options: Any) -> None:
    """Set the secret NAME: its value is asked for, or read from standard input.

    A secret of an environment outweighs the project's, and that one every project's.
    """
    path, scope = path_of("secrets", name), take_scope(options)
    asked = read_asked(options)
    body: dict[str, Json] = {**scope, "value": read_value(f"Value of {name}", hidden=True)}
    told = record(ask(asked, lambda client: client.put(path, body)), "secret")
    click.echo(f"Secret {text(told, 'name')} of {shown(scope)} is set.", err=True)


@command.command(name="list", cls=ExampleCommand, examples=_LIST)
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array.")
@server_options
@click.pass_context
def show_all(ctx: click.Context, /, *, as_json: bool, **options: Any) -> None:
    """List the names of secrets, whose they are, and when a job was given each last."""
    found = rows(ask(read_asked(options), lambda client: client.get("/api/secrets")), "secrets")
    if as_json:
        write_json(found)
        return
    screen = screen_of(ctx)
    if found:
        write_lines(draw_secrets(found, screen), screen)
    else:
        click.echo("There is no secret yet: `pawl secret set` sets one.", err=True)


@command.command(name="uses", cls=ExampleCommand, examples=_USES)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array.")
@server_options
@click.pass_context
def uses(ctx: click.Context, /, name: str, *, as_json: bool, **options: Any) -> None:
    """List which jobs were given the secret NAME, newest first."""
    path = f"{path_of('secrets', name)}/uses"
    found = rows(ask(read_asked(options), lambda client: client.get(path)), "uses")
    if as_json:
        write_json(found)
        return
    screen = screen_of(ctx)
    if found:
        write_lines(draw_uses(found, screen), screen)
    else:
        click.echo(f"No job was given a secret {name}.", err=True)


@command.command(name="remove", cls=ExampleCommand, examples=_REMOVE)
@click.argument("name")
@scope_options
@server_options
def remove(name: str, **options: Any) -> None:
    """Remove the secret NAME; jobs that run have it still."""
    path, scope = path_of("secrets", name), take_scope(options)
    ask(read_asked(options), lambda client: client.delete(path, scope))
    click.echo(f"Secret {name.upper()} of {shown(scope)} is removed.", err=True)


@command.command(name="rotate-key", cls=ExampleCommand, examples=_ROTATE)
@server_options
def rotate_key(**options: Any) -> None:
    """Make a new key and seal all secrets of the server under it, those of projects too.

    It may be ended anywhere and done again. The key's file keeps the old keys behind the new
    one: a backup from before needs them.
    """
    told = record(
        ask(read_asked(options), lambda client: client.post("/api/secrets/rotate-key", None)), "answer"
    )
    click.echo(
        f"{text(told, 'sealed')} values are sealed under a new key. Keep a copy of its file.", err=True
    )
