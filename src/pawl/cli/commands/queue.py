"""`pawl queue`: what waits on a server, in which order, and why."""

from __future__ import annotations

import time
from typing import Any

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.remote.answers import rows
from pawl.cli.remote.options import ask, read_asked, server_options
from pawl.cli.remote.showing import screen_of, watch, write_json, write_lines
from pawl.cli.remote.tables import draw_queue
from pawl.cli.terminal.lines import Line, line
from pawl.cli.terminal.screen import Screen


@click.command(
    name="queue",
    cls=ExampleCommand,
    examples=(
        ("pawl queue", "what waits, and why"),
        ("pawl queue --watch", "the same, again and again"),
        ("pawl queue --json", "for a program"),
    ),
)
@click.option("--watch", "watching", is_flag=True, help="Show it again every two seconds, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array.")
@server_options
@click.pass_context
def command(ctx: click.Context, /, *, watching: bool, as_json: bool, **options: Any) -> None:
    """Show the jobs that wait on a server, the next one first, each with the reason why it still waits."""
    asked = read_asked(options)

    def read() -> list[dict[str, Any]]:
        return rows(ask(asked, lambda client: client.get("/api/queue")), "queue")

    def draw(screen: Screen) -> list[Line]:
        return _draw(read(), screen)

    if as_json:
        write_json(read())
    elif watching:
        watch(draw, ctx)
    else:
        screen = screen_of(ctx)
        entries = read()
        if entries:
            write_lines(_draw(entries, screen), screen)
        else:
            click.echo("Nothing waits.", err=True)


def _draw(entries: list[dict[str, Any]], screen: Screen) -> list[Line]:
    return draw_queue(entries, time.time(), screen) if entries else [line("Nothing waits.")]
