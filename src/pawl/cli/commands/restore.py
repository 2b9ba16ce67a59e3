"""`pawl restore`: a data folder out of a backup."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.exits import ExitCode
from pawl.cli.options import FILE
from pawl.cli.terminal.durations import count, show_size
from pawl.core.model.errors import NotFound


@click.command(
    name="restore",
    cls=ExampleCommand,
    examples=(
        ("pawl restore /backups/monday --data /srv/pawl", "into a new data folder"),
        ("pawl serve --data /srv/pawl", "and start it"),
    ),
)
@click.argument("backup", type=click.Path(path_type=Path))
@click.option("--data", metavar="DIR", help="The data folder to make.")
@click.option("--config", type=FILE, help="The server's settings file; by default pawl.toml of this folder.")
@click.option("--json", "as_json", is_flag=True, help="Write what was copied as JSON.")
def command(backup: Path, *, data: str | None, config: Path | None, as_json: bool) -> int:
    """Make a server's data folder out of BACKUP, which `pawl backup` made; nothing there is ever replaced.

    What was running when the backup was made is run again, or ends as a failure of the infrastructure. Tokens
    that were good then are good again.
    """
    from pawl.cli.backing_up import is_backup, restore  # noqa: PLC0415 - as in backup
    from pawl.server.settings import load_server_settings  # noqa: PLC0415 - as in backup

    backup = backup.expanduser().resolve()
    if not is_backup(backup):
        raise NotFound(f"there is no backup in {backup}", hint="name a folder that `pawl backup` made")
    settings = load_server_settings({"data": data}, config=config)
    moved = asyncio.run(restore(backup, settings))
    if as_json:
        told = {"data": str(settings.folder), "runs": moved.runs, "logs": moved.logs, "blobs": moved.blobs}
        click.echo(json.dumps({**told, "bytes": moved.size}))
        return ExitCode.SUCCESS
    click.echo(
        f"{count(moved.runs, 'run')}, {count(moved.logs, 'log')} and {count(moved.blobs, 'blob')}"
        f" ({show_size(moved.size)}) are in {settings.folder}."
    )
    if not settings.keys.exists():
        click.echo(
            f"The key of its secrets is in no backup: put your copy of it to {settings.keys} first.", err=True
        )
    click.echo(f"`pawl serve --data {settings.folder}` starts a server on it.", err=True)
    return ExitCode.SUCCESS
