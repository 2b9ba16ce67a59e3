"""`pawl token`: the tokens of a server."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click

from pawl.cli.examples import ExampleCommand, ExampleGroup
from pawl.cli.options import FILE
from pawl.cli.remote.answers import record, rows, text
from pawl.cli.remote.options import ask, read_asked, server_options
from pawl.cli.remote.showing import screen_of, write_json, write_lines
from pawl.cli.remote.tables import draw_tokens
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.plan import Json

SCOPES = ("admin", "user", "read", "worker")


@click.group(
    name="token",
    cls=ExampleGroup,
    examples=(
        ("pawl token create laptop", "one for a person: everything but tokens"),
        ("pawl token create w1 --scope worker -o w1.token", "one for a worker, into a file"),
        ("pawl token list", "who has which token"),
        ("pawl token revoke w1", "it is good for nothing any more"),
    ),
)
def command() -> None:
    """Make, list and revoke the tokens with which people, programs and workers come to a server."""


@command.command(
    name="create",
    cls=ExampleCommand,
    examples=(
        ("pawl token create laptop", "one for a person: everything but tokens"),
        ("pawl token create w1 --scope worker -o w1.token", "one for a worker, into a file"),
    ),
)
@click.argument("name")
@click.option("--scope", type=click.Choice(SCOPES), default="user", help="What it may do.")
@click.option(
    "--days", type=click.IntRange(min=1), metavar="N", help="How long it is good for; else for ever."
)
@click.option("-o", "--output", type=FILE, help="Write it to this new file, readable by you alone.")
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON.")
@server_options
def create(
    name: str, *, scope: str, days: int | None, output: Path | None, as_json: bool, **options: Any
) -> None:
    """Make a token called NAME and print it: it is shown once and kept nowhere."""
    if output is not None and output.exists():
        raise UsageError(f"`{output}` exists already", hint="name another file")
    asked = read_asked(options)
    body: dict[str, Json] = {"name": name, "scope": scope, **({"days": days} if days else {})}
    told = ask(asked, lambda client: client.post("/api/tokens", body))
    secret = text(record(told, "token_record"), "token", "secret")
    if output is not None:
        _write_secret(output, secret)
        click.echo(f"Written to {output}.", err=True)
    elif as_json:
        write_json(told)
    else:
        click.echo(secret)
        click.echo("It is shown this once only.", err=True)


@command.command(name="list", cls=ExampleCommand, examples=(("pawl token list", "who has which token"),))
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array.")
@server_options
@click.pass_context
def show(ctx: click.Context, /, *, as_json: bool, **options: Any) -> None:
    """List the tokens: name, scope, when each was last used. The tokens themselves are kept nowhere."""
    found = rows(ask(read_asked(options), lambda client: client.get("/api/tokens")), "tokens")
    if as_json:
        write_json(found)
        return
    screen = screen_of(ctx)
    write_lines(draw_tokens(found, time.time(), screen), screen)


@command.command(
    name="revoke", cls=ExampleCommand, examples=(("pawl token revoke w1", "it is good for nothing any more"),)
)
@click.argument("name")
@server_options
def revoke(name: str, **options: Any) -> None:
    """Revoke the token called NAME, or whose id begins so."""
    asked = read_asked(options)
    found = rows(ask(asked, lambda client: client.get("/api/tokens")), "tokens")
    identity = choose_token(found, name)
    ask(asked, lambda client: client.delete(f"/api/tokens/{identity}"))
    click.echo(f"Token {name} is revoked.", err=True)


def choose_token(tokens: list[dict[str, Any]], wanted: str) -> str:
    """Return the id of the one token called `wanted`, or whose id begins so, that is not revoked.

    Raises:
        UsageError: there is none, or several.
    """
    good = [token for token in tokens if not token.get("revoked")]
    named = [token for token in good if token.get("name") == wanted]
    begins = [token for token in good if len(wanted) >= 6 and text(token, "id").startswith(wanted)]
    found = named or begins
    if not found:
        listed = ", ".join(f"`{text(token, 'name')}`" for token in good) or "none"
        raise UsageError(f"there is no token `{wanted}`", hint=f"there are {listed}")
    if len(found) > 1:
        listed = ", ".join(text(token, "id") for token in found)
        raise UsageError(f"{len(found)} tokens are called `{wanted}`", hint=f"say which by its id: {listed}")
    return text(found[0], "id")


def _write_secret(path: Path, secret: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secret + "\n")
    except OSError as error:
        raise InfrastructureError(
            f"cannot write `{path}`: {error.strerror}", hint="the token is lost: revoke it"
        ) from error
