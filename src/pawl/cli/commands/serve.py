"""`pawl serve`: the server, with a worker of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.options import FILE
from pawl.cli.terminal.notices import NOTE, tell
from pawl.cli.version import VERSION


@click.command(
    name="serve",
    cls=ExampleCommand,
    examples=(
        ("pawl serve", "here, on http://127.0.0.1:8080, jobs in containers"),
        ("pawl serve --executor host", "jobs on this machine itself, with no isolation"),
        ("pawl serve --data /srv/pawl --workers 4", "another data folder, four jobs at once"),
        ("pawl serve --host 0.0.0.0 --workers 0", "for workers on other machines, behind a TLS proxy"),
    ),
)
@click.option("--data", metavar="DIR", help="The folder of all that it keeps.")
@click.option(
    "--host", metavar="ADDRESS", help="The address to listen on; by default this machine's own only."
)
@click.option("--port", type=click.IntRange(0, 65_535), help="The port to listen on; 0 takes a free one.")
@click.option("--url", metavar="URL", help="The address that people reach it under.")
@click.option("--store", metavar="URL", help="The database, sqlite:///... or postgresql://...")
@click.option("--logs", metavar="PLACE", help="Where logs go: a folder or s3://bucket/prefix.")
@click.option(
    "--blobs", metavar="PLACE", help="Where artifacts and sources go: a folder or s3://bucket/prefix."
)
@click.option(
    "--workers", type=click.IntRange(0, 1000), metavar="N", help="Jobs it runs itself at once; 0 for none."
)
@click.option(
    "--executor", type=click.Choice(["auto", "docker", "host"]), help="What runs the jobs of its own worker."
)
@click.option(
    "--label", "labels", multiple=True, metavar="LABEL", help="A label of its own worker. Repeatable."
)
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="What is logged.")
@click.option("--config", type=FILE, help="The settings file; by default pawl.toml of the current folder.")
def command(*, config: Path | None, labels: tuple[str, ...], **options: Any) -> int:
    """Run a server until Ctrl-C: queue, runs, logs and artifacts, and a worker that runs jobs.

    Everything it keeps is in its data folder, and survives whatever ends the server. At the first start it
    prints a token. Settings stand in [server] of pawl.toml, or in PAWL_SERVER_ variables.
    """
    from pawl.server.main import serve  # noqa: PLC0415 - half a second to import
    from pawl.server.settings import load_server_settings  # noqa: PLC0415 - as above

    said = {**options, "labels": list(labels) or None}
    settings = load_server_settings(said, config=config)
    if settings.host not in {"127.0.0.1", "::1", "localhost"}:
        tell(
            NOTE, "tokens and logs travel unencrypted: put a TLS proxy before it, or keep the network closed"
        )
    return serve(settings, version=VERSION, tell=_tell)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
