"""The log of a server's run, printed as the log of a local one is."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import replace

import click

from pawl.cli.exits import ExitCode
from pawl.cli.log_printer import LineDrawer, LogWish
from pawl.cli.remote.answers import conclusion, rows, text
from pawl.cli.remote.client import Client
from pawl.cli.remote.following import Blame, get_run, stream_run
from pawl.cli.remote.place import ServerPlace
from pawl.cli.remote.showing import note, read_run_id
from pawl.cli.remote.stream import LineFeed, StreamPrinter
from pawl.cli.remote.watching import say_it_goes_on
from pawl.cli.stored_runs import StepPlace, StepWish, choose_steps, failed_without_a_step, look_back
from pawl.cli.terminal.screen import Screen
from pawl.core.model.errors import NotFound
from pawl.core.model.run_events import LogAppended, RunEvent
from pawl.core.model.status import Conclusion
from pawl.core.model.told_events import from_json
from pawl.ports.logs import LogLine

__all__ = ["RemoteLogs"]


class RemoteLogs:
    """Shows logs of a server's runs on standard output."""

    def __init__(self, place: ServerPlace, screen: Screen, wish: LogWish, steps: StepWish) -> None:
        self._place = place
        self._screen = screen
        self._wish = wish
        self._steps = steps
        self._run = 0

    def show(self, run: str | None, *, follow: bool, tell_which: bool) -> ExitCode:
        """Print the log of a run, the newest for None, and return the exit code.

        Followed to its end that is the run's; Ctrl-C ends only the showing. `tell_which` names the server.

        Raises:
            UsageError: there is no such run, job or step.
            PawlError: as the client.
        """
        try:
            return asyncio.run(self._show(run, follow=follow, tell_which=tell_which))
        except KeyboardInterrupt:
            if follow and self._run:
                say_it_goes_on(self._run)
            return ExitCode.INTERRUPTED

    async def _show(self, run: str | None, *, follow: bool, tell_which: bool) -> ExitCode:
        async with Client(self._place) as client:
            self._run = await self._find(client, run)
            if tell_which or run in {None, "latest"}:
                note(f"run {self._run} of {self._place.url}")
            if follow:
                return await self._follow(client)
            await self._print_stored(client)
            return ExitCode.SUCCESS

    async def _find(self, client: Client, run: str | None) -> int:
        if run not in {None, "latest"}:
            number = read_run_id(str(run))
            await get_run(client, number)
            return number
        found = rows(await client.get("/api/runs", {"limit": "1"}), "runs")
        if not found:
            raise NotFound("the server has no run yet", hint="`pawl trigger WORKFLOW` starts one")
        return int(found[0]["id"])

    async def _follow(self, client: Client) -> ExitCode:
        printer = StreamPrinter(self._screen, replace(self._wish, with_job=True), self._steps)
        blame = Blame()
        async with aclosing(stream_run(client, self._run, follow=True, notice=note)) as stream:
            async for told in stream:
                event = from_json(told)
                if event is not None:
                    blame.take(event)
                    _write(printer.take(event))
        _write(printer.finish())
        for reason in failed_without_a_step(printer.picture, self._steps):
            note(reason)
        run = await get_run(client, self._run)
        if conclusion(run) is Conclusion.CANCELLED:
            reason = text(run, "reason")
            note(f"run {self._run} was cancelled" + (f": {reason}" if reason else ""))
        return blame.exit_code(run)

    async def _print_stored(self, client: Client) -> None:
        async with aclosing(_events(client, self._run)) as told:
            picture = look_back([event async for event in told], self._steps)
        places = choose_steps(picture, self._steps)
        several = len({place.job_id for place in places}) > 1
        wish = replace(self._wish, with_job=several, with_heads=len(places) > 1)
        drawer = LineDrawer(self._screen, wish)
        for place in places:
            query = {"job": place.job_id, "attempt": str(place.job.attempt), "step": str(place.index)}
            async with aclosing(self._lines(client, query)) as lines:
                await _print_step(place, lines, drawer, wish)
        untold = failed_without_a_step(picture, self._steps)
        for reason in untold:
            note(reason)
        if self._steps.failed and not places and not untold:
            click.echo(f"Nothing failed in run {self._run}.", err=True)

    async def _lines(self, client: Client, query: dict[str, str]) -> AsyncGenerator[LogLine]:
        feed = LineFeed()
        async with aclosing(stream_run(client, self._run, follow=False, notice=note, query=query)) as stream:
            async for told in stream:
                event = from_json(told)
                if isinstance(event, LogAppended):
                    for each in feed.feed(event):
                        yield each
        for each in feed.flush():
            yield each


async def _print_step(
    place: StepPlace, found: AsyncIterator[LogLine], drawer: LineDrawer, wish: LogWish
) -> None:
    lines: AsyncIterator[LogLine] = (each async for each in found if drawer.is_wanted(each))
    if wish.tail is not None:
        kept = deque([each async for each in lines], maxlen=wish.tail)
        lines = _each(kept)
    has_head = not wish.with_heads or wish.as_json
    async for each in lines:
        if not has_head:
            _write([drawer.head(place)])
            has_head = True
        _write(drawer.draw(place, each))


async def _events(client: Client, run: int) -> AsyncGenerator[RunEvent]:
    async with aclosing(client.events(f"/api/runs/{run}/events", {"follow": "0"})) as events:
        async for told in events:
            event = from_json(told)
            if event is not None:
                yield event


async def _each(lines: Iterable[LogLine]) -> AsyncIterator[LogLine]:
    for each in lines:
        yield each


def _write(texts: Iterable[str]) -> None:
    """Write lines at once, so that a reader at the other end of a pipe has what there is."""
    whole = "".join(text + "\n" for text in texts)
    if whole:
        sys.stdout.write(whole)
        sys.stdout.flush()
