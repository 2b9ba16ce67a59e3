"""`pawl runs`: the runs kept in this project."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from typing import Any

import click

from pawl.adapters.runs_folder import RunRecord, RunsFolder, RunState
from pawl.cli.examples import ExampleCommand
from pawl.cli.project import current_project
from pawl.cli.remote.answers import rows
from pawl.cli.remote.options import Asked, ask, optional_server_options, read_asked
from pawl.cli.remote.place import default_data, local_address
from pawl.cli.remote.showing import screen_of, write_json, write_lines
from pawl.cli.remote.tables import draw_runs
from pawl.cli.terminal.durations import show_duration
from pawl.cli.terminal.lines import Line, Piece, Style, fit, line, to_text
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import Screen, look_at
from pawl.cli.view.picture import Phase
from pawl.cli.view.tree import sign_of
from pawl.core.model.errors import PawlError

_MOST_REMOTE = 200


@click.command(
    name="runs",
    cls=ExampleCommand,
    examples=(
        ("pawl runs", "the latest runs"),
        ("pawl runs --server", "the server's, of all its repositories"),
        ("pawl runs -n 3 --json", "three of them, for a program"),
    ),
)
@click.option("-n", "--most", type=click.IntRange(min=1), default=20, help="How many to show.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array.")
@optional_server_options
@click.pass_context
def command(ctx: click.Context, /, *, most: int, as_json: bool, **options: Any) -> None:
    """List the runs of this project, the latest first; those of a server where one is named."""
    asked = read_asked(options)
    if asked.is_configured:
        _show_remote(asked, most, ctx, as_json=as_json)
        return
    records = RunsFolder(current_project().root).list()[:most]
    if as_json:
        click.echo(json.dumps([_plain(record) for record in records], indent=2))
        return
    screen = look_at(sys.stdout, colour=bool(ctx.color))
    for record in records:
        click.echo(to_text(_draw(record, screen), colour=screen.colour))
    if not records:
        click.echo("No run is kept here yet: `pawl run` starts one.", err=True)
        if _answers_here(asked):
            click.echo("`pawl runs --server` lists those of this machine's server.", err=True)


def _answers_here(asked: Asked) -> bool:
    """Return whether this machine's server answers; none is asked where none ever ran."""
    try:
        if local_address(default_data()) is None:
            return False
        ask(asked, lambda client: client.get("/api/runs", {"limit": "1"}))
    except PawlError:
        return False
    return True


def _show_remote(asked: Asked, most: int, ctx: click.Context, *, as_json: bool) -> None:
    query = {"limit": str(min(most, _MOST_REMOTE))}
    found = rows(ask(asked, lambda client: client.get("/api/runs", query)), "runs")
    if as_json:
        write_json(found)
    elif found:
        screen = screen_of(ctx)
        write_lines(draw_runs(found, time.time(), screen), screen)
    else:
        click.echo("The server has no run yet: `pawl trigger WORKFLOW` starts one.", err=True)


def _plain(record: RunRecord) -> dict[str, object]:
    return {
        "number": record.number,
        "workflow": record.workflow,
        "state": record.state,
        "conclusion": record.conclusion,
        "created": record.created,
        "finished": record.finished,
        "reason": record.reason,
    }


def _draw(record: RunRecord, screen: Screen) -> Line:
    running = record.state is RunState.RUNNING
    sign = sign_of(record.conclusion, Phase.RUNNING if running else Phase.WAITING, screen.glyphs)
    when = datetime.fromtimestamp(record.created).astimezone().strftime("%Y-%m-%d %H:%M")
    end = record.finished if record.finished is not None else time.time()
    took = "" if record.state is RunState.KILLED else show_duration(end - record.created)
    state = record.conclusion or record.state
    left = line(
        sign,
        Piece(f" {record.number:>4}  ", Style.STRONG),
        f"{one_line(record.workflow)}  ",
        Piece(f"{state}  {when}", Style.FAINT),
    )
    return fit(left, Piece(took, Style.FAINT), min(screen.width, 100), ellipsis=screen.glyphs.ellipsis)
