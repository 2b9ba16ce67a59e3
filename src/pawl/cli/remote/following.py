"""Following a run on a server: every event once, whatever happens to the connection or the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from pawl.cli.exits import ExitCode
from pawl.cli.remote.answers import conclusion, record, text
from pawl.cli.remote.client import Client
from pawl.core.model.errors import TransientError
from pawl.core.model.run_events import JobFinished, RunEvent
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.told_events import from_json

_LONGEST_PAUSE = 2.0
_QUIET = 2.0
"""Seconds for which nothing is said of a lost connection: most are back by then."""
_FIRST_PAUSE = 0.1
_MOST_AWAY = 600.0
"""Seconds for which a server may be away before following it is given up."""

Plain = dict[str, Any]
Notice = Callable[[str], None]


async def get_run(client: Client, run: int) -> Plain:
    """Return a run's record.

    Raises:
        NotFound: there is none of that number.
        PawlError: as the client.
    """
    return record(await client.get(f"/api/runs/{run}"), "run")


async def stream_run(
    client: Client,
    run: int,
    *,
    follow: bool,
    notice: Notice,
    query: dict[str, str] | None = None,
    after: str = "",
) -> AsyncGenerator[Plain]:
    """Yield what the run told and its log, as plain data; with `follow` until it ends.

    From the beginning, or behind the cursor or event number `after`.

    When the connection breaks, or the server restarts, it goes on behind the last thing yielded.

    Raises:
        Unavailable: the server was away for too long.
        PawlError: as the client.
    """
    cursor, pause, away, is_told = after, _FIRST_PAUSE, 0.0, False
    while True:
        asked = {**(query or {}), "follow": "1" if follow else "0", **({"after": cursor} if cursor else {})}
        try:
            async with aclosing(client.lines(f"/api/runs/{run}/logs", asked)) as lines:
                async for told in lines:
                    cursor = str(told.get("cursor") or cursor)
                    pause, away, is_told = _FIRST_PAUSE, 0.0, False
                    yield told
            if not follow or text(await get_run(client, run), "status") == "completed":
                return
        except TransientError as error:
            if away >= _MOST_AWAY:
                raise
            if away >= _QUIET and not is_told:
                notice(f"{error.message}: waiting for it to come back")
                is_told = True
        await asyncio.sleep(pause)
        away, pause = away + pause, min(_LONGEST_PAUSE, pause * 2)


async def follow_run(
    client: Client, run: int, take: Callable[[RunEvent], None], notice: Notice, after: str = ""
) -> ExitCode:
    """Hand every event of a run behind `after` to `take` until it ends; return the exit code of its end.

    Raises:
        PawlError: as `stream_run`.
    """
    blame = Blame()
    async with aclosing(stream_run(client, run, follow=True, notice=notice, after=after)) as stream:
        async for told in stream:
            event = from_json(told)
            if event is not None:
                blame.take(event)
                take(event)
    return blame.exit_code(await get_run(client, run))


class Blame:
    """Remembers of each job whose fault its last failure was."""

    def __init__(self) -> None:
        self._of: dict[str, FailureClass | None] = {}

    def take(self, event: RunEvent) -> None:
        """Look at an event."""
        if isinstance(event, JobFinished):
            self._of[event.job] = event.failure_class

    def exit_code(self, run: Plain) -> ExitCode:
        """Return the exit code of a run that ended: as `pawl run` gives it."""
        match conclusion(run):
            case Conclusion.SUCCESS | Conclusion.SKIPPED:
                return ExitCode.SUCCESS
            case _:
                theirs = {None, FailureClass.USER}
                return ExitCode.FAILED if set(self._of.values()) <= theirs else ExitCode.FAULT
