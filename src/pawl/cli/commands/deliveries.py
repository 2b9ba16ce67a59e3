"""`pawl deliveries`: what forges told a server, and what came of it."""

from __future__ import annotations

from typing import Any

import click

from pawl.cli.examples import ExampleCommand, ExampleGroup
from pawl.cli.remote.answers import record, rows, text
from pawl.cli.remote.intake_tables import draw_deliveries, draw_delivery
from pawl.cli.remote.options import ask, read_asked, server_options
from pawl.cli.remote.showing import read_run_id, screen_of, write_json, write_lines

_SHOW = (("pawl deliveries show 12", "what each workflow said to it"),)
_REPLAY = (("pawl deliveries replay 12", "as if it had come again"),)


@click.group(
    name="deliveries",
    cls=ExampleGroup,
    invoke_without_command=True,
    examples=(
        ("pawl deliveries", "what came last, and what it started"),
        ("pawl deliveries --project acme/site", "for one repository"),
        *_SHOW,
        *_REPLAY,
    ),
)
@click.option("--project", metavar="NAME", help="Only those of this project: owner/name.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array.")
@server_options
@click.pass_context
def command(ctx: click.Context, /, *, project: str | None, limit: int, as_json: bool, **options: Any) -> None:
    """List what forges told a server, newest first: webhooks, what the poll found, times of schedules."""
    if ctx.invoked_subcommand is not None:
        return
    query = {"limit": str(limit), **({"project": project} if project else {})}
    told = ask(read_asked(options), lambda client: client.get("/api/deliveries", query))
    found = rows(told, "deliveries")
    if as_json:
        write_json(found)
        return
    screen = screen_of(ctx)
    if found:
        write_lines(draw_deliveries(found, screen), screen)
    else:
        click.echo("Nothing was delivered yet.", err=True)


@command.command(name="show", cls=ExampleCommand, examples=_SHOW)
@click.argument("number", metavar="N")
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON, with its headers and body.")
@server_options
@click.pass_context
def show(ctx: click.Context, /, number: str, *, as_json: bool, **options: Any) -> None:
    """Show delivery N: where it comes from, and for each workflow the run it started or what said no."""
    path = f"/api/deliveries/{read_run_id(number)}"
    told = record(ask(read_asked(options), lambda client: client.get(path)), "delivery_record")
    if as_json:
        write_json(told)
        return
    screen = screen_of(ctx)
    write_lines(draw_delivery(told, screen), screen)


@command.command(name="replay", cls=ExampleCommand, examples=_REPLAY)
@click.argument("number", metavar="N")
@server_options
def replay(number: str, **options: Any) -> None:
    """Make a new delivery of the body of delivery N; it starts new runs."""
    path = f"/api/deliveries/{read_run_id(number)}/replay"
    told = record(ask(read_asked(options), lambda client: client.post(path, None)), "delivery_record")
    click.echo(
        f"Delivery {text(told, 'id')} has the same body; `pawl deliveries show` says what comes of it."
    )
