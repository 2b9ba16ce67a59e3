"""Answers: JSON, problems, files with one range, and streams that do not wait for dead readers."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import AsyncIterator, Mapping

from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from pawl.core.model.errors import UsageError
from pawl.core.model.plain import to_plain
from pawl.core.model.plan import Json
from pawl.wire import PROBLEM_TYPE, problem_of

_NO_SNIFFING = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_PATIENCE = 60.0
"""Seconds after which a reader that takes nothing is let go: it can go on where it stopped."""


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a value, a record or plain data, as JSON."""
    body = json.dumps(to_plain(value), ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )
    return Response(body, status, {**_NO_SNIFFING, **(headers or {})}, "application/json")


def problem(error: Exception) -> Response:
    """Return an error as problem details."""
    status, told = problem_of(error)
    headers = dict(_NO_SNIFFING)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="pawl"'
    after = told.get("retry_after")
    if isinstance(after, int | float):
        headers["Retry-After"] = str(max(1, math.ceil(after)))
    return Response(json.dumps(told).encode(), status, headers, PROBLEM_TYPE)


class Stream(StreamingResponse):
    """An answer that comes in pieces. One that is not taken for a minute ends.

    Only the piece that is being sent is held, so a slow reader slows nobody and costs nothing.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(_PATIENCE):
                await send(message)

        try:
            await super().__call__(scope, receive, send_in_time)
        except TimeoutError:
            return


def stream(
    chunks: AsyncIterator[bytes], content_type: str, headers: Mapping[str, str] | None = None
) -> Stream:
    """Return what `chunks` yields as it comes; proxies are asked not to hold it back."""
    return Stream(
        chunks,
        media_type=content_type,
        headers={**_NO_SNIFFING, "X-Accel-Buffering": "no", **(headers or {})},
    )


_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Span:
    """The part of some bytes that a caller wants: `start` up to `end`, of `size`."""

    def __init__(self, header: str | None, size: int) -> None:
        """Read a Range header; what is no range of bytes means all of them.

        Raises:
            UsageError: several ranges are asked for.
        """
        self.size = size
        self.start, self.end, self.partial = 0, size, False
        if header is None:
            return
        if "," in header:
            raise UsageError("several ranges are asked for", hint="ask for one range at a time")
        found = _RANGE.fullmatch(header.replace(" ", ""))
        if found is None or not (found[1] or found[2]):
            return
        self.partial = True
        if found[1]:
            self.start = int(found[1])
            self.end = min(size, int(found[2]) + 1) if found[2] else size
        else:
            self.start = max(0, size - int(found[2]))

    @property
    def fits(self) -> bool:
        """Return whether there is anything to send."""
        return not self.partial or self.start < self.end

    def headers(self) -> dict[str, str]:
        """Return the headers of an answer with this part."""
        told = {"Accept-Ranges": "bytes", "Content-Length": str(self.end - self.start)}
        if self.partial:
            told["Content-Range"] = f"bytes {self.start}-{self.end - 1}/{self.size}"
        return told


def bytes_answer(
    chunks: AsyncIterator[bytes], span: Span, content_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the part `span` of some bytes, which `chunks` yields."""
    status = 206 if span.partial else 200
    return Stream(
        chunks,
        status,
        {**_NO_SNIFFING, **span.headers(), **(headers or {})},
        content_type,
    )


def unsatisfiable(span: Span) -> Response:
    """Return the answer to a range that lies behind the end; it tells the size."""
    told: dict[str, Json] = {
        "type": "/problems/range",
        "title": "No such range",
        "status": 416,
        "detail": f"the range lies outside the {span.size} bytes that are there",
        "size": span.size,
    }
    headers = {**_NO_SNIFFING, "Content-Range": f"bytes */{span.size}"}
    return Response(json.dumps(told).encode(), 416, headers, PROBLEM_TYPE)
