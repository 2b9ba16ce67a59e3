"""One request and its answer: time-outs on everything, no redirects, errors as our own classes."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from pawl.core.model.errors import Denied, InfrastructureError, PawlError, Unavailable, UsageError
from pawl.core.model.plan import Json
from pawl.wire import (
    PROTOCOL,
    PROTOCOL_HEADER,
    WORKER_HEADER,
    WORKER_ROUTES,
    WireLimits,
    error_of,
    is_problem,
)

_LIMITS = WireLimits()
_CONNECT = 10.0
_SILENCE = 30.0
"""Seconds without a byte after which a connection counts as dead."""
_MOST_OF_A_PROBLEM = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server is.

    Attributes:
        url: as in `https://ci.example.org`; also names the host when a socket is used.
        unix_socket: the socket to use instead of the network.
        ca_file: certificates to trust instead of the machine's, for a server with its own authority.
    """

    url: str
    unix_socket: Path | None = None
    ca_file: Path | None = None

    def described(self) -> str:
        """Return it for people."""
        return str(self.unix_socket) if self.unix_socket is not None else self.url


class Calls:
    """Sends requests to one server with one token. The session is made when it is first needed."""

    def __init__(self, address: Address, token: str, *, name: str = "") -> None:
        """Take where, as whom, and the worker's name."""
        self._address = address
        self._headers = {
            "Authorization": f"Bearer {token}",
            PROTOCOL_HEADER: str(PROTOCOL),
            **({WORKER_HEADER: name} if name else {}),
        }
        self._session: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(
        self,
        method: str,
        route: str,
        body: bytes | AsyncIterator[bytes],
        *,
        query: Mapping[str, str] | None = None,
        wait: float = 0.0,
    ) -> bytes:
        """Return the body of the answer.

        Args:
            method: of HTTP.
            route: below the workers' routes.
            body: bytes as they are, or a message's JSON.
            query: of the request.
            wait: seconds that the server was asked to wait before it answers.

        Raises:
            Unavailable: it cannot be reached, or did not answer in time.
            PawlError: what the server answered.
        """
        async with self._answer(method, route, body, query, wait) as answer:
            content = await _read(answer, _LIMITS.answer)
            if len(content) > _LIMITS.answer:
                raise InfrastructureError(f"the answer of {self._address.described()} is too large")
            return content

    async def stream(self, route: str, body: bytes) -> AsyncIterator[bytes]:
        """Yield the body of an answer of any size; raises as `send` does."""
        async with self._answer("POST", route, body, None, 0.0, whole=False) as answer:
            async for chunk in answer.content.iter_chunked(_LIMITS.log):
                yield chunk

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        route: str,
        body: bytes | AsyncIterator[bytes],
        query: Mapping[str, str] | None,
        wait: float,
        *,
        whole: bool = True,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        kind = "application/octet-stream" if query is not None else "application/json"
        moves_much = not isinstance(body, bytes) or not whole
        limits = aiohttp.ClientTimeout(
            total=None if moves_much else wait + 2 * _SILENCE,
            connect=_CONNECT,
            sock_connect=_CONNECT,
            sock_read=wait + _SILENCE,
        )
        try:
            async with self._opened().request(
                method,
                f"{self._address.url.rstrip('/')}{WORKER_ROUTES}/{route}",
                params=query,
                data=body,
                headers={**self._headers, "Content-Type": kind},
                timeout=limits,
                allow_redirects=False,
            ) as answer:
                if answer.status >= 300:
                    raise self._refused(answer.status, _json(await _read(answer, _MOST_OF_A_PROBLEM)))
                yield answer
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise self._unreachable(error) from error

    def _refused(self, status: int, body: Json) -> PawlError:
        error = error_of(status, body)
        if isinstance(error, Denied) and not is_problem(body):
            # A gateway's word, not the server's: no job is ended for it.
            return Unavailable(
                f"something before {self._address.described()} answered with status {status}",
                hint="have what stands before the server pass the worker's requests on as they are",
            )
        return error

    def _unreachable(self, error: Exception) -> Exception:
        where = self._address.described()
        if isinstance(error, aiohttp.InvalidURL):
            return UsageError(f"`{where}` is no URL of a server", hint="write it as https://ci.example.org")
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return UsageError(
                f"the certificate of {where} is not trusted: {error}",
                hint="name the authority's certificates with --ca-file",
            )
        return Unavailable(
            f"cannot reach {where}: {_reason(error)}", hint="is the server running, and is this its URL?"
        )

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            at = self._address
            connector: aiohttp.BaseConnector
            if at.unix_socket is not None:
                connector = aiohttp.UnixConnector(path=str(at.unix_socket), limit=0)
            else:
                connector = aiohttp.TCPConnector(ssl=_trusted(at.ca_file), limit=0)
            # No cookies, no proxies from the environment: nothing but what was asked for.
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )
        return self._session


def _trusted(ca_file: Path | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"the certificates in {ca_file} cannot be read: {error}", hint="give a file in PEM form"
        ) from error


async def _read(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """Return at most a little more than `most` bytes of an answer."""
    parts, size = [], 0
    async for chunk in answer.content.iter_chunked(_LIMITS.log):
        parts.append(chunk)
        size += len(chunk)
        if size > most:
            break
    return b"".join(parts)


def _json(body: bytes) -> Json:
    try:
        told: Json = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return told


def _reason(error: Exception) -> str:
    """Return in words why there is no connection; of a refused one aiohttp tells its own settings, too."""
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    number = getattr(inner, "errno", None)
    if isinstance(number, int) and number > 0:
        return os.strerror(number).lower()
    return str(inner) or ("no answer in time" if isinstance(inner, TimeoutError) else type(inner).__name__)
