"""`pawl worker`: takes jobs from a server and runs them here."""

from __future__ import annotations

import logging
import os
import platform
import socket
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.exits import ExitCode
from pawl.cli.options import FILE
from pawl.cli.project import current_project
from pawl.cli.remote.place import PlaceWish, ServerPlace, find_server, read_token
from pawl.cli.settings_file import load_settings
from pawl.cli.terminal.notices import NOTE, tell
from pawl.cli.terminal.sanitise import one_line
from pawl.core.model.errors import PawlError, UsageError
from pawl.server.log_lines import correlated, say, start_logging
from pawl.worker.options import WorkerOptions
from pawl.worker.spool import Held

_FOLDER = click.Path(path_type=Path, file_okay=False)
_MOST_SLOTS = 8
_PROCESSORS = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}


@click.command(
    name="worker",
    cls=ExampleCommand,
    examples=(
        (
            "pawl worker --server https://ci.example.com --token-file w1.token",
            "take jobs, as many as there are processors",
        ),
        ("pawl worker --label gpu --slots 1", "with a label more, one job at a time"),
        ("pawl worker --once", "one job only"),
    ),
)
@click.option(
    "--server", metavar="URL", help="The server's address; else PAWL_SERVER, or this machine's server."
)
@click.option("--token-file", type=FILE, help="File with a token of scope `worker`; else PAWL_TOKEN.")
@click.option("--socket", "unix_socket", type=FILE, help="The server's socket, on its own machine.")
@click.option("--ca-file", type=FILE, help="Certificates to trust for the server instead of the machine's.")
@click.option("--name", metavar="NAME", help="What it is called; by default the machine's name.")
@click.option("--slots", type=click.IntRange(min=1), metavar="N", help="How many jobs it runs at once.")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="LABEL",
    help="What `runs-on` may ask for, besides `self-hosted`, system and processor; without any, also"
    " `ubuntu-latest` and its like. Repeatable.",
)
@click.option(
    "--executor",
    type=click.Choice(["auto", "docker", "host"]),
    default="auto",
    help="What runs jobs; auto: containers where an engine answers.",
)
@click.option("--data", type=_FOLDER, help="Its own folder, by default ~/.local/share/pawl-worker.")
@click.option(
    "--files",
    type=click.Choice(["forge", "server"]),
    default="forge",
    help="Where repositories' files come from; server: nothing but the server is connected to.",
)
@click.option("--mirrors", type=_FOLDER, help="Where it keeps repositories, by default in its own folder.")
@click.option("--plain-git", is_flag=True, help="Fetch repositories over `http:`, too: anybody can read it.")
@click.option("--once", is_flag=True, help="End after one job.")
def command(  # noqa: PLR0913 - one parameter for each option, as click calls it
    *,
    server: str | None,
    token_file: Path | None,
    unix_socket: Path | None,
    ca_file: Path | None,
    name: str | None,
    slots: int | None,
    labels: tuple[str, ...],
    executor: str,
    data: Path | None,
    files: str,
    mirrors: Path | None,
    plain_git: bool,
    once: bool,
) -> int:
    """Take jobs from a server and run them here, until SIGTERM or Ctrl-C: then it finishes what it has.

    Only outbound connections are made: to the server, and to the hosts of repositories. A second signal ends
    its jobs too, and gives them back to the server.
    Jobs outlive a worker that is killed: the next one with the same data folder goes on with them.
    """
    from pawl.worker.main import serve_worker  # noqa: PLC0415 - aiohttp takes 150 ms to import

    if not sys.stderr.isatty():
        start_logging()
    settings = load_settings(current_project())
    place = _place(server, token_file, unix_socket)
    if place.is_open:
        _notice(f"{place.url} is not encrypted: the token can be read on the way")
    options = WorkerOptions(
        url=place.url,
        token=place.token or "",
        name=name or socket.gethostname()[:100],
        data=(data or _default_data()).expanduser().absolute(),
        unix_socket=unix_socket,
        ca_file=ca_file,
        labels=choose_labels(labels, settings.labels),
        slots=slots or min(_MOST_SLOTS, os.cpu_count() or 1),
        executor=executor,
        images=settings.labels,
        fetches=files == "forge",
        mirrors=mirrors.expanduser().absolute() if mirrors is not None else None,
        plain_git=plain_git,
        once=once,
    )
    try:
        return serve_worker(options, _notice)
    except PawlError as error:
        if sys.stderr.isatty():
            raise
        say(error.message, logging.ERROR, hint=error.hint or "")
        return ExitCode.USAGE if isinstance(error, UsageError) else ExitCode.FAULT


def _place(server: str | None, token_file: Path | None, unix_socket: Path | None) -> ServerPlace:
    if unix_socket is not None:
        if token_file is None:
            raise UsageError("--socket needs a token", hint="give it with --token-file")
        return ServerPlace(url="http://localhost", token=read_token(token_file), origin="--socket")
    place = find_server(PlaceWish(server=server, token_file=token_file), None)
    if place.token is None or (token_file is None and place.origin not in {"--server", "PAWL_SERVER"}):
        raise UsageError(
            "a worker needs a token of its own",
            hint="`pawl token create NAME --scope worker -o FILE` on the server makes one: --token-file FILE",
        )
    return place


def choose_labels(said: Sequence[str], images: Iterable[str]) -> tuple[str, ...]:
    """Return a worker's labels.

    Args:
        said: on the command line. A worker that is there for something special is left to that.
        images: labels that stand for an image; patterns among them are none.
    """
    machine = platform.machine().lower()
    own = ("self-hosted", platform.system().lower(), _PROCESSORS.get(machine, machine))
    more = said or [label for label in images if not set(label) & set("*:/@")]
    return tuple(dict.fromkeys((*own, *more)))


def _default_data() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return Path(base) / "pawl-worker"


def _notice(text: str, about: Held | None = None, /) -> None:
    """Tell people on a terminal; else write a line like those of the server's log, where it may stand."""
    ref = about.lease.ref if about is not None else None
    if sys.stderr.isatty():
        tell(NOTE, one_line(f"{ref}: {text}" if ref is not None else text))
        return
    with correlated(about.correlation if about is not None else ""):
        fields: dict[str, Any] = (
            {"run": ref.run, "job": ref.job, "attempt": ref.attempt} if ref is not None else {}
        )
        say(text, **fields)
