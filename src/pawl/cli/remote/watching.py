"""Showing a server's run while it goes on, as `pawl run` shows one of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import sys
from collections.abc import AsyncIterator

from pawl.cli.exits import ExitCode
from pawl.cli.remote.client import Client
from pawl.cli.remote.following import Notice, follow_run
from pawl.cli.remote.options import Asked
from pawl.cli.remote.place import ServerPlace
from pawl.cli.remote.showing import note
from pawl.cli.terminal.screen import Screen, look_at
from pawl.cli.terminal.wrapping import draw_lines
from pawl.cli.view.machine import JsonView
from pawl.cli.view.output import Output
from pawl.cli.view.picture import RunPicture
from pawl.cli.view.plain import PlainView
from pawl.cli.view.summary import draw_summary, first_failure
from pawl.cli.wiring import SystemClock
from pawl.core.model.run_events import RunEvent, RunStarted
from pawl.ports.reporter import Reporter


def follow_and_show(
    asked: Asked | ServerPlace, run: int, *, colour: bool, as_json: bool, live: bool = True, after: str = ""
) -> ExitCode:
    """Show a run until it ends and return the exit code its end stands for.

    Ctrl-C ends only the showing: the run goes on, and how to come back to it is said. What the run told up
    to the event of the number `after` is left out.

    Raises:
        PawlError: as the client.
    """
    place = asked if isinstance(asked, ServerPlace) else asked.place()
    try:
        return asyncio.run(_follow(place, run, colour=colour, as_json=as_json, live=live, after=after))
    except KeyboardInterrupt:
        say_it_goes_on(run)
        return ExitCode.INTERRUPTED


def say_it_goes_on(run: int) -> None:
    """Say that a run does not end with its showing."""
    note(
        f"run {run} goes on without us: `pawl logs {run} --server -f` follows it again,"
        f" `pawl cancel {run}` stops it"
    )


async def _follow(
    place: ServerPlace, run: int, *, colour: bool, as_json: bool, live: bool, after: str
) -> ExitCode:
    screen = look_at(sys.stdout, colour=colour)
    picture, output = RunPicture(), Output()
    viewed = _view(picture, screen, output, as_json=as_json, live=live)
    async with Client(place) as client, viewed as (view, notice):

        def take(event: RunEvent) -> None:
            if isinstance(event, RunStarted) and not as_json:
                # People name a server's run by its id; the event counts the runs of the workflow.
                event = dataclasses.replace(event, number=run)
            picture.apply(event)
            view.report(event)

        code = await follow_run(client, run, take, notice, after)
    if not as_json:
        commands = [f"pawl logs {run} --server{' --failed' if first_failure(picture) else ''}"]
        if first_failure(picture):
            commands.append(f"pawl rerun {run} --failed")
        if picture.artifacts:
            commands.append(f"pawl artifacts {run} -o artifacts")
        summary = draw_summary(picture, screen, folder=f"{place.url} run {run}", commands=commands)
        output.write("".join(text + "\n" for text in draw_lines(summary, screen)))
    return code


@contextlib.asynccontextmanager
async def _view(
    picture: RunPicture, screen: Screen, output: Output, *, as_json: bool, live: bool
) -> AsyncIterator[tuple[Reporter, Notice]]:
    """Yield the view that fits, and where notices go while it draws."""
    if as_json:
        yield JsonView(output.write), note
    elif live and screen.is_terminal:
        from pawl.cli.view.live import LiveView  # noqa: PLC0415 - rich takes 100 ms to import

        view = LiveView(picture, screen, SystemClock().now)
        async with view.drawing():
            yield view, view.notice
    else:
        yield PlainView(screen, output.write), note
