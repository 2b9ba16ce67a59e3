"""Asking a server: JSON there and back, problem details as Pawl's errors, another try where that is safe."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, Self

import aiohttp

from pawl.cli.remote.place import ServerPlace
from pawl.cli.version import VERSION
from pawl.core.model.errors import Denied, NotFound, PawlError, TransientError, Unavailable, UsageError
from pawl.core.model.plan import Json
from pawl.wire.problems import error_of

_TRIES = 5
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 5.0
_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 60.0
MAX_ANSWER = 64 << 20
"""Bytes of one JSON answer."""
_MOST_LINE = 16 << 20
"""Bytes of one line of a stream: a log block is at most about a megabyte."""


class Client:
    """Asks one server. Use it as an asynchronous context manager, and its streams with `aclosing`.

    A stream that is left before its end, as when nobody reads what is printed, holds its connection until
    it is closed.
    """

    def __init__(self, place: ServerPlace) -> None:
        self.place = place
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        headers = {"User-Agent": f"pawl/{VERSION}"}
        if self.place.token:
            headers["Authorization"] = f"Bearer {self.place.token}"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_ANSWER_SECONDS)
        self._session = aiohttp.ClientSession(
            headers=headers, timeout=timeout, read_bufsize=1 << 20, trust_env=not self.place.is_here
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        """Return the answer to a GET; tried again when the server is away for a moment.

        Raises:
            Unavailable: no server answers.
            PawlError: what the server said, as its class.
        """
        return await self._again(lambda: self._ask("GET", path, query=query))

    async def post(self, path: str, body: Json, *, repeatable: bool = False) -> Json:
        """Return the answer to a POST; `repeatable` ones are tried again.

        Raises:
            Unavailable, PawlError: as `get`.
        """
        if not repeatable:
            return await self._ask("POST", path, body=body)
        return await self._again(lambda: self._ask("POST", path, body=body))

    async def patch(self, path: str, body: Json) -> Json:
        """Return the answer to a PATCH.

        Raises:
            Unavailable, PawlError: as `get`.
        """
        return await self._again(lambda: self._ask("PATCH", path, body=body))

    async def put(self, path: str, body: Json) -> Json:
        """Return the answer to a PUT.

        Raises:
            Unavailable, PawlError: as `get`.
        """
        return await self._again(lambda: self._ask("PUT", path, body=body))

    async def delete(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        """Return the answer to a DELETE.

        Raises:
            Unavailable, PawlError: as `get`.
        """
        return await self._again(lambda: self._ask("DELETE", path, query=query))

    async def upload(self, path: str, chunks: AsyncIterator[bytes], size: int | None = None) -> Json:
        """Send bytes as they come and return the answer.

        Raises:
            Unavailable, PawlError: as `get`.
        """
        headers = {"Content-Type": "application/octet-stream"}
        if size is not None:
            headers["Content-Length"] = str(size)
        return await self._ask("POST", path, content=chunks, headers=headers)

    async def blocks(self, path: str) -> AsyncGenerator[bytes]:
        """Yield the bytes of an answer as they come, all of them or an error.

        Raises:
            Unavailable: the connection broke.
            PawlError: as `get`.
        """
        async with self._request("GET", path) as answer:
            with self._world_failures():
                async for block in answer.content.iter_any():
                    yield block

    async def lines(self, path: str, query: Mapping[str, str]) -> AsyncGenerator[dict[str, Any]]:
        """Yield the objects of a stream with a JSON object a line, until it ends.

        Raises:
            Unavailable: the connection broke.
            PawlError: as `get`.
        """
        async with contextlib.aclosing(self._lines(path, query)) as lines:
            async for line in lines:
                if (told := _object(line)) is not None:
                    yield told

    async def events(self, path: str, query: Mapping[str, str]) -> AsyncGenerator[dict[str, Any]]:
        """Yield the objects of a stream of server-sent events, until it ends.

        Raises:
            Unavailable: the connection broke.
            PawlError: as `get`.
        """
        async with contextlib.aclosing(self._lines(path, query)) as lines:
            async for line in lines:
                if line.startswith(b"data:") and (told := _object(line[5:])) is not None:
                    yield told

    async def _lines(self, path: str, query: Mapping[str, str]) -> AsyncGenerator[bytes]:
        held = b""
        async with self._request("GET", path, query=query) as answer:
            with self._world_failures():
                async for block in answer.content.iter_any():
                    *lines, held = (held + block).split(b"\n")
                    for line in lines:
                        yield line
                    if len(held) > _MOST_LINE:
                        raise Unavailable(f"{self.place.url} sends a line without an end")

    async def _again(self, ask: Callable[[], Awaitable[Json]]) -> Json:
        pause = _FIRST_PAUSE
        for left in reversed(range(_TRIES)):
            try:
                answer = await ask()
            except NoServer:
                raise
            except TransientError as error:
                if not left:
                    raise
                wanted = error.retry_after if isinstance(error, Unavailable) else 0.0
                await asyncio.sleep(min(_LONGEST_PAUSE, max(pause, wanted)))
                pause *= 2
            else:
                return answer
        raise AssertionError

    async def _ask(self, method: str, path: str, **keywords: Any) -> Json:
        async with self._request(method, path, **keywords) as answer:
            with self._world_failures():
                content = await answer.content.read(MAX_ANSWER)
                while more := await answer.content.read(MAX_ANSWER - len(content)):
                    content += more
        if not content:
            return None
        try:
            told: Json = json.loads(content)
        except (ValueError, RecursionError):
            raise self._no_pawl() from None
        return told

    @contextlib.asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json = None,
        content: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise RuntimeError("the client is not open")
        sent: dict[str, Any] = {"data": content} if content is not None else {}
        if body is not None:
            sent["json"] = body
        with self._world_failures():
            answer = await self._session.request(
                method, self.place.url + path, params=query, headers=headers, allow_redirects=False, **sent
            )
        async with answer:
            if answer.status >= 300:
                raise await self._failure(answer)
            yield answer

    async def _failure(self, answer: aiohttp.ClientResponse) -> PawlError:
        told: Json = None
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError, RecursionError):
            told = json.loads(await answer.content.read(1 << 20))
        if answer.status in {404, 405} and told is None:
            return self._no_pawl()
        error = error_of(answer.status, told)
        if isinstance(error, Denied) and not error.known and self.place.is_local:
            error.hint = (
                "it was this machine's own, from the server's data folder: restarting the server"
                " (`pawl serve`) makes a new one"
            )
        elif error.hint is None:
            error.hint = self._hint(error)
        return error

    def _hint(self, error: PawlError) -> str | None:
        match error:
            case Denied() if self.place.token is None:
                return f"no token is known for {self.place.url}: give one with --token-file or PAWL_TOKEN"
            case Denied(known=False):
                return (
                    f"the token that was sent is not good at {self.place.url}: ask its owner for another one"
                )
            case NotFound():
                return "`pawl runs --server` lists the server's runs"
            case _:
                return None

    def _no_pawl(self) -> PawlError:
        return Unavailable(
            f"what answers at {self.place.url} is no Pawl server", hint="check the address and its port"
        )

    @contextlib.contextmanager
    def _world_failures(self) -> Iterator[None]:
        """Turn what goes wrong on the way into our errors."""
        try:
            yield
        except aiohttp.ClientConnectorCertificateError as error:
            raise UsageError(
                f"the certificate of {self.place.url} is not trusted ({error.certificate_error})",
                hint="SSL_CERT_FILE names a file with the authorities to trust",
            ) from error
        except aiohttp.ClientConnectorSSLError as error:
            raise UsageError(
                f"what answers at {self.place.url} does not speak HTTPS as it should",
                hint="check the port, or write http:// where no proxy with a certificate stands before it",
            ) from error
        except aiohttp.ClientConnectorError as error:
            raise NoServer(
                f"no server answers at {self.place.url} ({_reason(error)})", hint=self._how_to_start()
            ) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"the connection to {self.place.url} broke ({_reason(error)})") from error

    def _how_to_start(self) -> str:
        if self.place.is_here:
            return "start one with `pawl serve`"
        return f"check the address (it comes from {self.place.origin}) and that the server runs"


class NoServer(Unavailable):
    """Nothing listens there at all."""


def _reason(error: BaseException) -> str:
    inner: BaseException = getattr(error, "os_error", None) or error
    number = getattr(inner, "errno", None)
    if isinstance(number, int) and number > 0:
        return os.strerror(number).lower()
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__


def _object(line: bytes) -> dict[str, Any] | None:
    if not line.strip():
        return None  # a sign of life
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
