"""`pawl workers`: which workers a server knows."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.remote.answers import number, rows
from pawl.cli.remote.options import ask, read_asked, server_options
from pawl.cli.remote.showing import screen_of, write_json, write_lines
from pawl.cli.remote.tables import draw_workers


@click.command(
    name="workers",
    cls=ExampleCommand,
    examples=(
        ("pawl workers", "who is there, with which labels, and what runs"),
        ("pawl workers --remove NAME", "forget one that is gone for good"),
    ),
)
@click.option("--remove", metavar="NAME", help="Forget this worker: its name or id.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array.")
@server_options
@click.pass_context
def command(ctx: click.Context, /, *, remove: str | None, as_json: bool, **options: Any) -> None:
    """List the workers of a server: what they can take, what they run, and when they were last heard of."""
    asked = read_asked(options)
    told = ask(asked, lambda client: client.get("/api/workers"))
    found = rows(told, "workers")
    if remove is not None:
        named = [str(each["id"]) for each in found if remove in {each.get("id"), each.get("name")}]
        chosen = named[0] if len(named) == 1 else remove
        ask(asked, lambda client: client.delete(f"/api/workers/{quote(chosen, safe='')}"))
        click.echo(f"Worker {remove} is forgotten.", err=True)
        return
    if as_json:
        write_json(found)
        return
    screen = screen_of(ctx)
    # By the server's clock, which those times are from.
    now = number(told, "now") if isinstance(told, dict) else None
    if found:
        write_lines(draw_workers(found, time.time() if now is None else now, screen), screen)
    else:
        click.echo("No worker has come yet: `pawl worker` starts one.", err=True)
