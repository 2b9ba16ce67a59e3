"""`pawl backup`: a copy of all that a server keeps."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.exits import ExitCode
from pawl.cli.options import FILE
from pawl.cli.terminal.durations import count, show_size
from pawl.cli.version import VERSION
from pawl.core.model.errors import Conflict, InfrastructureError


@click.command(
    name="backup",
    cls=ExampleCommand,
    examples=(
        ("pawl backup /backups/monday", "of this machine's server, which goes on running"),
        ("pawl backup /backups/monday --data /srv/pawl", "of another data folder"),
        ("pawl restore /backups/monday --data /srv/new", "the way back"),
    ),
)
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--data", metavar="DIR", help="The server's data folder.")
@click.option("--config", type=FILE, help="The server's settings file; by default pawl.toml of this folder.")
@click.option("--json", "as_json", is_flag=True, help="Write what was copied as JSON.")
def command(target: Path, *, data: str | None, config: Path | None, as_json: bool) -> int:
    """Copy database, logs and blobs of a server into the new folder TARGET; the server may go on running.

    The copy is as of one moment, checked, and good to start a server from. It holds no token in clear text.
    """
    from pawl.cli.backing_up import back_up  # noqa: PLC0415 - the database's library takes 200 ms to import
    from pawl.server.settings import load_server_settings  # noqa: PLC0415 - as above

    settings = load_server_settings({"data": data}, config=config)
    target = target.expanduser().resolve()
    _make(target)
    begun = time.monotonic()
    moved = asyncio.run(back_up(settings, target, version=VERSION, time=time.time()))
    if as_json:
        told = {"target": str(target), "runs": moved.runs, "logs": moved.logs, "blobs": moved.blobs}
        click.echo(json.dumps({**told, "bytes": moved.size, "gone": moved.gone}))
        return ExitCode.SUCCESS
    click.echo(
        f"{count(moved.runs, 'run')}, {count(moved.logs, 'log')} and {count(moved.blobs, 'blob')}"
        f" ({show_size(moved.size)}) are in {target}, after {time.monotonic() - begun:.1f}s."
    )
    if moved.gone:
        click.echo(f"{moved.gone} were removed by retention meanwhile, and are not in it.", err=True)
    return ExitCode.SUCCESS


def _make(target: Path) -> None:
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise Conflict(f"{target} exists and is not empty", hint="name a new folder")
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.chmod(0o700)
    except OSError as error:
        raise InfrastructureError(f"{target} cannot be made: {error.strerror or error}") from error
