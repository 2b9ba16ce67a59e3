"""`pawl artifacts`: what the jobs of a server's run kept, listed or fetched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.remote.answers import rows, text
from pawl.cli.remote.options import ask, read_asked, server_options
from pawl.cli.remote.showing import read_run_id, screen_of, write_json, write_lines
from pawl.cli.remote.tables import draw_artifacts
from pawl.cli.terminal.durations import count, show_size
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.model.errors import NotFound

if TYPE_CHECKING:
    from pawl.cli.remote.client import Client
    from pawl.cli.remote.downloading import Fetched


@click.command(
    name="artifacts",
    cls=ExampleCommand,
    examples=(
        ("pawl artifacts 12", "what run 12 kept"),
        ("pawl artifacts 12 -o out", "fetch all of it into the folder out"),
        ("pawl artifacts 12 dist -o out", "fetch one artifact, into out/dist"),
    ),
)
@click.argument("run")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Fetch the files into DIR, with a folder for each artifact.",
)
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array of the artifacts and their files.")
@server_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    run: str,
    names: tuple[str, ...],
    *,
    output: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """List the artifacts of a server's RUN, those called NAME or all; with --output fetch their files.

    Files are compared with the digests that the job's worker told. No file is replaced by another.
    """
    asked, number = read_asked(options), read_run_id(run)
    told = ask(asked, lambda client: client.get(f"/api/runs/{number}/artifacts"))
    chosen = _choose(rows(told, "artifacts"), names, number)
    if output is not None:
        fetched = ask(asked, lambda client: _fetch(client, number, chosen, output))
        what = f"{count(fetched.files, 'file')}, {show_size(fetched.size)}"
        click.echo(f"{what}: in {output}.", err=True)
    if as_json:
        write_json(chosen)
    elif output is None and chosen:
        screen = screen_of(ctx)
        write_lines(draw_artifacts(chosen, screen), screen)
    elif not chosen:
        click.echo(f"Run {number} kept no artifact.", err=True)


def _choose(found: list[dict[str, Any]], names: tuple[str, ...], run: int) -> list[dict[str, Any]]:
    known = [text(each, "name") for each in found]
    for name in names:
        if name not in known:
            listed = ", ".join(f"`{each}`" for each in known[:20]) or "none"
            raise NotFound(
                f"run {run} has no artifact `{name}`", hint=did_you_mean(name, known) or f"it has: {listed}"
            )
    return [each for each in found if not names or text(each, "name") in names]


async def _fetch(client: Client, run: int, chosen: list[dict[str, Any]], output: Path) -> Fetched:
    from pawl.cli.remote.downloading import fetch_artifacts  # noqa: PLC0415 - it imports aiohttp, 150 ms

    return await fetch_artifacts(client, run, chosen, output)
