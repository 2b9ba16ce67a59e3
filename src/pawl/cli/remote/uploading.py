"""Sending a trigger: the files first, then the request, each safe to be sent again."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Self

import click

from pawl.cli.remote.answers import record, text
from pawl.cli.remote.client import Client, NoServer
from pawl.cli.remote.place import ServerPlace
from pawl.cli.remote.triggering import CommittedWorkflow
from pawl.cli.terminal.durations import show_size
from pawl.core.model.errors import TransientError
from pawl.core.model.events import Event
from pawl.core.model.plan import Json

_TRIES = 4
_TOLD_EVERY = 1 << 20
_SMALL = 4 << 20
"""Bytes below which an upload is over before it is worth a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What is sent to start a run; `request_id` makes sending it again harmless."""

    file: CommittedWorkflow
    event: Event
    variables: Mapping[str, str]
    priority: int
    request_id: str


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


def trigger_body(upload: Upload, source: str) -> dict[str, Json]:
    """Return the body of `POST /api/runs` (docs/reference/api.md)."""
    event = upload.event
    body: dict[str, Json] = {
        "path": upload.file.path,
        "workflow": upload.file.checked.text,
        "repository": event.repository,
        "default_branch": event.default_branch,
        "ref": event.ref,
        "sha": event.sha,
        "event": event.name,
        "action": event.action or "",
        "base_ref": event.base_ref,
        "head_ref": event.head_ref,
        "actor": event.actor,
        "from_fork": event.from_fork,
        "payload": json.loads(json.dumps(event.payload)),
        "inputs": dict(event.inputs),
        "variables": dict(upload.variables),
        "source": source,
        "priority": upload.priority,
        "request_id": upload.request_id,
    }
    if event.changed_files is not None:
        body["changed_files"] = list(event.changed_files)
    return body


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
