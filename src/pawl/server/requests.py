"""Reading what a caller sends: never more than the route allows, and nothing but plain JSON."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request

from pawl.core.model.errors import NotFound, TooLarge, UnsupportedBody, UsageError
from pawl.core.model.ids import RunId
from pawl.core.model.json_body import parse_json

_DIGITS = re.compile(r"[0-9]{1,15}")


async def read_body(request: Request, limit: int) -> bytes:
    """Return the whole body.

    Raises:
        TooLarge: it is over `limit` bytes; no more than that was read.
    """
    check_announced(request, limit)
    chunks, size, more = [], 0, True
    while more:
        # Asked for as the web server gives it: this is done for every message of every worker.
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        if chunk:
            chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        more = message.get("more_body", False)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def read_chunks(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Yield the body as it comes.

    Raises:
        TooLarge: it is over `limit` bytes.
    """
    check_announced(request, limit)
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        if chunk:
            yield chunk


def check_announced(request: Request, limit: int) -> None:
    """Return unless the request says that its body is over the limit.

    Raises:
        TooLarge: it does.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > 18 or int(announced) > limit):
        raise _too_large(limit)


def check_plain(request: Request) -> None:
    """Return unless the request could be read in two ways.

    Raises:
        UnsupportedBody: its body is encoded; stored as it came, it would be taken for something else.
        UsageError: a parameter of the query is there twice; a proxy may have looked at the other one.
    """
    encodings = ", ".join(request.headers.getlist("content-encoding"))
    if encodings.strip().lower() not in ("", "identity"):
        raise UnsupportedBody(
            f"the body has the encoding `{encodings[:40]}`", hint="send it without a Content-Encoding"
        )
    if not request.scope["query_string"]:
        return
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name in seen:
            raise UsageError(f"`{name[:40]}` is in the query more than once", hint="leave one of them out")
        seen.add(name)


def _too_large(limit: int) -> TooLarge:
    if not limit:
        return TooLarge("this request takes no body")
    return TooLarge(f"the body is larger than {limit} bytes")


async def read_json(request: Request, limit: int) -> dict[str, Any]:
    """Return the JSON object in the body; {} for an empty body.

    Raises:
        TooLarge: it is over `limit` bytes.
        UsageError: it is no JSON object, or too deep.
    """
    body = await read_body(request, limit)
    if not body.strip():
        return {}
    told = parse_json(body)
    if not isinstance(told, dict):
        raise UsageError("the body is no JSON object")
    return told


def run_of(request: Request) -> RunId:
    """Return the run that the path names.

    Raises:
        NotFound: that is no number.
    """
    return RunId(number_of(request.path_params["run"], "run"))


def number_of(text: str, what: str) -> int:
    """Return a number from a path.

    Raises:
        NotFound: it is none.
    """
    if not _DIGITS.fullmatch(text):
        raise NotFound(f"there is no {what} `{text[:40]}`")
    return int(text)


def number_in(query: Mapping[str, str], name: str, default: int, *, most: int = 10**15) -> int:
    """Return a number from the query.

    Raises:
        UsageError: it is none, or too large.
    """
    text = query.get(name, "")
    if not text:
        return default
    if not _DIGITS.fullmatch(text) or int(text) > most:
        raise UsageError(f"`{name}` of the query is `{text[:40]}`: expected a number from 0 to {most}")
    return int(text)


def flag_in(query: Mapping[str, str], name: str, *, default: bool) -> bool:
    """Return a yes or no from the query: 1, true, 0, false.

    Raises:
        UsageError: it is something else.
    """
    text = query.get(name, "")
    if not text:
        return default
    try:
        return {"1": True, "true": True, "0": False, "false": False}[text.lower()]
    except KeyError:
        raise UsageError(f"`{name}` of the query is `{text[:40]}`: expected 0 or 1") from None


class Fields:
    """The fields of a JSON body, each read once with its type; `done` refuses what nobody asked for."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = dict(body)

    def text(self, name: str, default: str | None = None, *, most: int = 1000) -> str:
        """Return a text; without a default it must be there.

        Raises:
            UsageError: it is missing, no text or longer than `most` characters.
        """
        value = self._body.pop(name, None)
        if value is None:
            if default is None:
                raise UsageError(f"the body lacks `{name}`")
            return default
        if not isinstance(value, str) or len(value) > most:
            raise UsageError(f"`{name}` of the body is no text of at most {most} characters")
        return value

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        """Return a whole number.

        Raises:
            UsageError: it is none, or out of bounds.
        """
        value = self._body.pop(name, None)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise UsageError(f"`{name}` of the body is no whole number from {least} to {most}")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false; false when it is not there.

        Raises:
            UsageError: it is something else.
        """
        value = self._body.pop(name, None)
        if value is not None and not isinstance(value, bool):
            raise UsageError(f"`{name}` of the body is neither true nor false")
        return bool(value)

    def maybe_flag(self, name: str) -> bool | None:
        """Return true or false; None when it is not there.

        Raises:
            UsageError: it is something else.
        """
        return self.flag(name) if self._body.get(name) is not None else None

    def texts(self, name: str) -> dict[str, str]:
        """Return a mapping of texts; numbers and booleans become texts as in YAML.

        Raises:
            UsageError: it is something else.
        """
        value = self._body.pop(name, None) or {}
        if not isinstance(value, dict) or not all(isinstance(v, str | int | float) for v in value.values()):
            raise UsageError(f"`{name}` of the body is no object of texts")
        return {key: _text(each) for key, each in value.items()}

    def mapping(self, name: str) -> dict[str, Any]:
        """Return any object.

        Raises:
            UsageError: it is something else.
        """
        value = self._body.pop(name, None) or {}
        if not isinstance(value, dict):
            raise UsageError(f"`{name}` of the body is no object")
        return value

    def list_of_texts(self, name: str) -> tuple[str, ...] | None:
        """Return a list of texts, None when it is not there.

        Raises:
            UsageError: it is something else.
        """
        value = self._body.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise UsageError(f"`{name}` of the body is no list of texts")
        return tuple(value)

    def done(self) -> None:
        """Return when every field was asked for.

        Raises:
            UsageError: there are others.
        """
        if self._body:
            shown = ", ".join(f"`{name[:40]}`" for name in sorted(self._body)[:5])
            raise UsageError(f"the body has fields that are not known: {shown}")


def _text(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
