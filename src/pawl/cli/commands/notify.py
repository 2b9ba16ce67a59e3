"""`pawl notify`: whom a server tells of its runs, and what came of it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click

from pawl.cli.examples import ExampleCommand, ExampleGroup
from pawl.cli.remote.answers import record, rows, text
from pawl.cli.remote.client import Client
from pawl.cli.remote.notice_tables import draw_destinations, draw_notices, draw_statuses, last_answer
from pawl.cli.remote.options import ask, read_asked, server_options
from pawl.cli.remote.showing import read_run_id, screen_of, write_json, write_lines
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.plan import Json
from pawl.core.model.reporting import Told, Topic

_LONGEST = 2000
_PATIENCE = 45.0
_PAUSE = 0.2
_READABLE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
_TOPICS = [topic.value for topic in Topic if topic is not Topic.PING]

_ADD = (
    ("pawl notify add https://hooks.example/pawl --project acme/site", "a webhook for the ends of its runs"),
    ("pawl notify add ann@example.org --told changes", "mail when a branch breaks, and when it is fixed"),
)
_LIST = (("pawl notify list", "who hears of what"),)
_TEST = (("pawl notify test 1", "whether it arrives"),)
_LOG = (("pawl notify log --to 1", "what was sent there, and what was answered"),)
_AGAIN = (("pawl notify again 12", "send notice 12 once more"),)
_ENABLE = (("pawl notify enable 1", "after it failed for days"),)
_REMOVE = (("pawl notify remove 1", "it hears nothing any more"),)
_STATUSES = (("pawl notify statuses --project acme/site", "which arrived, and why one did not"),)


@click.group(name="notify", cls=ExampleGroup, examples=(*_ADD, *_LIST, *_TEST, *_LOG, *_STATUSES))
def command() -> None:
    """Say whom a server tells of its runs: webhooks and mail. Show what it told, to forges too."""


@command.command(name="add", cls=ExampleCommand, examples=_ADD)
@click.argument("target")
@click.option("--project", metavar="NAME", default="", help="Whose runs; else those of all projects.")
@click.option("--topic", "topics", multiple=True, type=click.Choice(_TOPICS), help="What it hears of.")
@click.option(
    "--told",
    type=click.Choice([each.value for each in Told]),
    default=Told.ALWAYS.value,
    help="Of which ends of runs it hears.",
)
@click.option("--secret-file", type=_READABLE, metavar="FILE", help="Holds what webhooks are signed with.")
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON.")
@server_options
def add(
    target: str,
    *,
    project: str,
    topics: tuple[str, ...],
    told: str,
    secret_file: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Have TARGET told: a URL gets webhooks, addresses with commas between them get mail.

    Without --topic it hears of the ends of runs. Without --secret-file what webhooks are signed with is made
    up, and shown once. A FILE that is - is standard input.
    """
    body: dict[str, Json] = {
        "target": target,
        "kind": "webhook" if "://" in target else "mail",
        "project": project,
        "told": told,
        **({"topics": [*topics]} if topics else {}),
        **({"secret": _read(secret_file)} if secret_file is not None else {}),
    }
    answer = ask(read_asked(options), lambda client: client.post("/api/destinations", body))
    made = record(answer, "destination_record")
    if as_json:
        write_json(made)
        return
    click.echo(f"Destination {text(made, 'id')} is told; `pawl notify test {text(made, 'id')}` tries it.")
    if text(made, "secret") and secret_file is None:
        click.echo("Its webhooks are signed with this secret, which is shown this once only:\n")
        click.echo(f"    {text(made, 'secret')}")


@command.command(name="list", cls=ExampleCommand, examples=_LIST)
@click.option("--project", metavar="NAME", help="Only those that hear of its runs.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array.")
@server_options
@click.pass_context
def show_all(ctx: click.Context, /, *, project: str | None, as_json: bool, **options: Any) -> None:
    """List whom the server tells."""
    query = {"project": project} if project else {}
    told = ask(read_asked(options), lambda client: client.get("/api/destinations", query))
    _show(ctx, rows(told, "destinations"), draw_destinations, "Nobody is told.", as_json=as_json)


@command.command(name="remove", cls=ExampleCommand, examples=_REMOVE)
@click.argument("number", metavar="N")
@server_options
def remove(number: str, **options: Any) -> None:
    """Tell destination N nothing any more, and forget what it was told."""
    path = f"/api/destinations/{read_run_id(number)}"
    ask(read_asked(options), lambda client: client.delete(path))
    click.echo(f"Destination {number} is removed.", err=True)


@command.command(name="enable", cls=ExampleCommand, examples=_ENABLE)
@click.argument("number", metavar="N")
@server_options
def enable(number: str, **options: Any) -> None:
    """Switch destination N on again; it is switched off when nothing arrives there for three days."""
    path = f"/api/destinations/{read_run_id(number)}/enable"
    ask(read_asked(options), lambda client: client.post(path, None))
    click.echo(f"Destination {number} is on.", err=True)


@command.command(name="test", cls=ExampleCommand, examples=_TEST)
@click.argument("number", metavar="N")
@server_options
def test(number: str, **options: Any) -> None:
    """Send destination N a notice that says that nothing happened, and tell what came of it."""
    path = f"/api/destinations/{read_run_id(number)}/test"

    async def tried(client: Client) -> Json:
        sent = record(await client.post(path, None), "notice_record")
        async with asyncio.timeout(_PATIENCE):
            while not rows(sent, "replies"):
                await asyncio.sleep(_PAUSE)
                sent = record(await client.get(f"/api/notices/{text(sent, 'id')}"), "notice_record")
        return sent

    try:
        told = record(ask(read_asked(options), tried), "notice_record")
    except TimeoutError:
        raise InfrastructureError("nothing came of it yet", hint="`pawl notify log` shows it later") from None
    if text(told, "state") != "done":
        raise InfrastructureError(
            f"it did not arrive: {last_answer(told)}", hint="it is tried again, unless that cannot help"
        )
    click.echo(f"It arrived: {last_answer(told)}")


@command.command(name="log", cls=ExampleCommand, examples=_LOG)
@click.option("--to", "destination", metavar="N", help="Only what was sent to destination N.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array.")
@server_options
@click.pass_context
def log(ctx: click.Context, /, *, destination: str | None, limit: int, as_json: bool, **options: Any) -> None:
    """List what was told, newest first, with the last answer."""
    query = {"limit": str(limit), **({"destination": str(read_run_id(destination))} if destination else {})}
    told = ask(read_asked(options), lambda client: client.get("/api/notices", query))
    _show(ctx, rows(told, "notices"), draw_notices, "Nothing was told yet.", as_json=as_json)


@command.command(name="again", cls=ExampleCommand, examples=_AGAIN)
@click.argument("number", metavar="N")
@server_options
def again(number: str, **options: Any) -> None:
    """Send notice N once more; its receiver gets it under the same id."""
    path = f"/api/notices/{read_run_id(number)}/again"
    told = record(ask(read_asked(options), lambda client: client.post(path, None)), "notice_record")
    click.echo(f"Notice {text(told, 'id')} is sent; `pawl notify log` shows what comes of it.")


@command.command(name="statuses", cls=ExampleCommand, examples=_STATUSES)
@click.option("--project", metavar="NAME", help="Only those of this project: owner/name.")
@click.option("--sha", metavar="HASH", help="Only those at this commit; its full hash.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array.")
@server_options
@click.pass_context
def statuses(
    ctx: click.Context,
    /,
    *,
    project: str | None,
    sha: str | None,
    limit: int,
    as_json: bool,
    **options: Any,
) -> None:
    """List what stands at commits, changed last first, and why a forge was not told."""
    given = {"project": project, "sha": sha, "limit": str(limit)}
    query = {name: value for name, value in given.items() if value}
    told = ask(read_asked(options), lambda client: client.get("/api/statuses", query))
    _show(ctx, rows(told, "statuses"), draw_statuses, "No commit has a status yet.", as_json=as_json)


def _show(ctx: click.Context, found: list[dict[str, Any]], draw: Any, none: str, *, as_json: bool) -> None:
    if as_json:
        write_json(found)
    elif found:
        screen = screen_of(ctx)
        write_lines(draw(found, screen), screen)
    else:
        click.echo(none, err=True)


def _read(file: Path) -> str:
    try:
        read = sys.stdin.read(_LONGEST) if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
    return read.strip()
