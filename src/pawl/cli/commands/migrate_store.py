"""`pawl migrate-store`: a server's database in another database."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from urllib.parse import unquote

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.exits import ExitCode
from pawl.cli.terminal.durations import count
from pawl.core.model.errors import UsageError

_SQLITE = "sqlite:///"


@click.command(
    name="migrate-store",
    cls=ExampleCommand,
    examples=(
        (
            "pawl migrate-store sqlite:////srv/pawl/pawl.db postgresql://pawl@db/pawl",
            "from a file to PostgreSQL, with the server stopped",
        ),
        ("pawl serve --store postgresql://pawl@db/pawl", "and start it on that"),
    ),
)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--json", "as_json", is_flag=True, help="Write how many rows each table has.")
def command(source: str, target: str, *, as_json: bool) -> int:
    """Copy the database FROM into the empty database TO: every run, log record, token and worker.

    All or nothing, and FROM is left as it is. Logs and blobs stay where they are. Stop the server first.
    """
    from pawl.adapters.store_sql import copy_store  # noqa: PLC0415 - takes 200 ms to import

    _check_is_there(source)
    with _stopped(source), _stopped(target):
        counted = copy_store(source, target)
    if as_json:
        click.echo(json.dumps(counted))
        return ExitCode.SUCCESS
    click.echo(f"{count(counted.get('runs', 0), 'run')} and {sum(counted.values())} rows in all are copied.")
    return ExitCode.SUCCESS


def _check_is_there(url: str) -> None:
    """Raise UsageError when a SQLite file is not there: opening it would make an empty one, and copy that."""
    file = _sqlite_file(url)
    if file is not None and not file.is_file():
        raise UsageError(
            f"there is no database {file}",
            hint=f"an absolute path has four slashes: {_SQLITE}/var/lib/pawl/pawl.db",
        )


def _sqlite_file(url: str) -> Path | None:
    return Path(unquote(url.removeprefix(_SQLITE))) if url.startswith(_SQLITE) else None


def _stopped(url: str) -> contextlib.AbstractContextManager[None]:
    """Return a block in which no server uses the data folder that a SQLite file lies in."""
    from pawl.server.locking import locked  # noqa: PLC0415 - only here

    file = _sqlite_file(url)
    if file is not None and (file.parent / "server.lock").exists():
        return locked(file.parent)
    return contextlib.nullcontext()
