"""The server's own log: one JSON object a line, or words on a terminal; secrets never come through.

Kept on the standard library: importing `structlog` takes 0.2 seconds of the second in which a server has
to be ready (docs/adr/0009-the-api-is-a-table.md).
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TextIO

from pawl.core.model.plan import Json

LOGGER = logging.getLogger("pawl.server")

_CORRELATION: ContextVar[str] = ContextVar("correlation", default="")

_SECRETS = (
    (re.compile(r"pawl_[0-9a-f]{64}"), "pawl_***"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',}]+"), r"\1 ***"),
    (re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?)[^\s\"',}][^\"',}\n]*"), r"\1***"),
    (re.compile(r"(://[^/\s:@]+:)[^@/\s]+@"), r"\1***@"),
)


def redact(text: str) -> str:
    """Return a text without tokens, Authorization headers and passwords in URLs."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def say(event: str, level: int = logging.INFO, *, error: BaseException | None = None, **fields: Json) -> None:
    """Log what happened.

    Args:
        event: what, in a few fixed words: it can be searched for.
        level: as in `logging`.
        error: one of which the traceback is wanted: never for a refusal that is expected.
        fields: what it is about.
    """
    if LOGGER.isEnabledFor(level):
        LOGGER.log(level, event, extra={"fields": fields}, exc_info=error)


@contextlib.contextmanager
def correlated(identity: str) -> Iterator[str]:
    """Have every line that is logged inside carry an id; yields it."""
    before = _CORRELATION.set(identity)
    try:
        yield identity
    finally:
        _CORRELATION.reset(before)


def correlation() -> str:
    """Return the id that lines carry at present, "" for none."""
    return _CORRELATION.get()


class JsonLines(logging.Formatter):
    """Writes a record as one JSON object: time, level, event, correlation, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        moment = time.gmtime(record.created)
        line: dict[str, Json] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", moment) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        if _CORRELATION.get():
            line["correlation"] = _CORRELATION.get()
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return redact(json.dumps(line, ensure_ascii=False, default=str))


class PlainLines(logging.Formatter):
    """Writes a record for people: the time of day, the event, and the fields behind it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        fields = " ".join(f"{name}={value}" for name, value in getattr(record, "fields", {}).items())
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        line = " ".join(part for part in (clock, level + record.getMessage(), fields) if part)
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return redact(line)


def start_logging(level: str = "info", *, plain: bool | None = None, stream: TextIO | None = None) -> None:
    """Have the server's and its web server's lines go to `stream` (standard error).

    Args:
        level: `debug`, `info`, `warning` or `error`.
        plain: lines for people instead of JSON; by default when the stream is a terminal.
        stream: where to.
    """
    stream = stream or sys.stderr
    plain = stream.isatty() if plain is None else plain
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainLines() if plain else JsonLines())
    for name, least in (("pawl", level.upper()), ("uvicorn", "WARNING"), ("asyncio", "WARNING")):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(least)
        logger.propagate = False
