"""Sending a trigger: the files first, then the request, each safe to be sent again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from typing import Self

import click

from pawl.cli.remote.answers import record, text
from pawl.cli.remote.client import Client, NoServer
from pawl.cli.remote.place import ServerPlace
from pawl.cli.remote.triggering import Upload, trigger_body
from pawl.cli.terminal.durations import show_size
from pawl.core.model.errors import TransientError
from pawl.core.model.plan import Json

_TRIES = 4
_TOLD_EVERY = 1 << 20
_SMALL = 4 << 20
"""Bytes below which an upload is over before it is worth a word."""


async def trigger_run(place: ServerPlace, upload: Upload, chunks: Callable[[], AsyncIterator[bytes]]) -> Json:
    """Send the files and start the run; returns the server's answer.

    Raises:
        PawlError: as the client.
    """
    async with Client(place) as client:
        source = await _send_source(client, chunks)
        return await client.post("/api/runs", trigger_body(upload, source), repeatable=True)


async def _send_source(client: Client, chunks: Callable[[], AsyncIterator[bytes]]) -> str:
    for left in reversed(range(_TRIES)):
        try:
            with _Progress() as progress:
                told = await client.upload("/api/sources", progress.counted(chunks()))
            return text(record(told, "source"), "digest")
        except NoServer:
            raise
        except TransientError:
            if not left:
                raise
            await asyncio.sleep(_TRIES - left)
    raise AssertionError


class _Progress:
    """Says on a terminal how much of an upload is on its way; wipes its line at the end."""

    def __init__(self) -> None:
        self._sent = 0
        self._shown = False
        self._is_terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True, color=True)

    async def counted(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the same, and say how far it is."""
        told = 0
        async for chunk in chunks:
            yield chunk
            self._sent += len(chunk)
            if self._is_terminal and self._sent >= _SMALL and self._sent - told >= _TOLD_EVERY:
                told, self._shown = self._sent, True
                click.echo(f"\rSending the files: {show_size(self._sent)}", nl=False, err=True)
