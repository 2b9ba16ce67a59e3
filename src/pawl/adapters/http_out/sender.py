"""The port `Sender` on aiohttp: one request, no redirects, nothing from the environment, bounded answers."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import aiohttp
from yarl import URL

from pawl.adapters.http_out.addresses import Allowed
from pawl.adapters.http_out.gate import Gate
from pawl.core.model.errors import TransientError, UsageError
from pawl.ports.outgoing import Answered, Outgoing

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_URL = re.compile(r"[!-\[\]-~]{1,8000}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_NO_NAME = re.compile(r"[0-9.]+|.*:.*", re.DOTALL)
"""Hosts that are taken for addresses, whether they are written well or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderLimits:
    """How long a request may take, in seconds, and how many bytes its answer may have."""

    total: float = 20.0
    connect: float = 10.0
    answer: int = 1 << 20


class HttpSender:
    """Sends requests to the public internet, and to what an operator allows besides (ports.outgoing).

    No error message holds a header, a body, or the path or query of a URL.
    """

    def __init__(
        self,
        allowed: Allowed | None = None,
        *,
        limits: SenderLimits | None = None,
        ca_file: Path | None = None,
        proxy: str = "",
    ) -> None:
        """Take what is allowed; connections are made when they are needed.

        Args:
            allowed: hosts and networks inside that may be called, also without TLS.
            limits: of time and size.
            ca_file: certificates to trust instead of the machine's.
            proxy: URL of a proxy that all requests go through; it then resolves names, and must itself keep
                them from leading inside. Those in the environment are never used.
        """
        self._allowed = allowed or Allowed()
        self._limits = limits or SenderLimits()
        self._ca_file = ca_file
        self._proxy = URL(proxy) if proxy else None
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def aclose(self) -> None:
        """Let go of the connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def send(self, request: Outgoing) -> Answered:
        """Send it once and return the answer, whatever its status."""
        url = self._checked(request)
        tls = url.scheme == "https"
        try:
            return await self._answered(self._session(tls=tls), url, request)
        except UsageError:
            raise
        except TimeoutError:
            raise TransientError(f"{url.host} did not answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise TransientError(f"{url.host} cannot be called: {_told(error)}") from None

    async def _answered(self, session: aiohttp.ClientSession, url: URL, request: Outgoing) -> Answered:
        headers = {"Accept-Encoding": "identity", **request.headers}
        async with session.request(
            request.method,
            url,
            # As a file: aiohttp warns of large bodies that are given as bytes.
            data=BytesIO(request.body) if request.body else None,
            headers=headers,
            proxy=self._proxy,
            allow_redirects=False,
        ) as answer:
            parts, size = [], 0
            async for chunk in answer.content.iter_any():
                parts.append(chunk)
                size += len(chunk)
                if size > self._limits.answer:
                    raise TransientError(f"{url.host} answered with more than {self._limits.answer} bytes")
            told = {name.lower(): value for name, value in answer.headers.items()}
            return Answered(status=answer.status, headers=told, body=b"".join(parts))

    def _checked(self, request: Outgoing) -> URL:
        """Return the URL.

        Raises:
            UsageError: it is none that may be called.
        """
        if request.method not in _METHODS:
            raise UsageError(f"`{request.method[:20]}` is no method that is sent")
        for name, value in request.headers.items():
            if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
                raise UsageError(f"the header {name[:40]!r} is none that HTTP can carry")
        if _URL.fullmatch(request.url) is None:
            raise UsageError("a URL to call is empty, too long, or holds spaces or characters beyond ASCII")
        try:
            url = URL(request.url, encoded=True)
            host, is_whole = url.host or "", url.port is not None
        except ValueError:
            raise UsageError("a URL to call is not well-formed") from None
        if url.scheme not in {"https", "http"} or not host or not is_whole:
            raise UsageError("a URL to call begins neither with https:// nor with http:// and a host")
        if url.raw_user is not None or url.raw_password is not None:
            raise UsageError(f"a URL to call at {host} holds a user or password", hint="leave them out")
        if _NO_NAME.fullmatch(host):
            self._gate(tls=url.scheme == "https").check(host, host)
        elif self._proxy is not None and url.scheme == "http" and not self._allowed.host(host):
            raise UsageError(f"{host} may not be called without TLS", hint="use https, or allow the host")
        return url

    def _gate(self, *, tls: bool) -> Gate:
        return Gate(self._allowed, tls=tls)

    def _session(self, *, tls: bool) -> aiohttp.ClientSession:
        if tls not in self._sessions:
            limits = self._limits
            resolver = None if self._proxy is not None else self._gate(tls=tls)
            connector = aiohttp.TCPConnector(
                resolver=resolver, use_dns_cache=False, ssl=_trusted(self._ca_file), limit_per_host=16
            )
            self._sessions[tls] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(
                    total=limits.total, connect=limits.connect, sock_connect=limits.connect
                ),
            )
        return self._sessions[tls]


def _told(error: Exception) -> str:
    """Return what failed, without URLs, which may hold what is secret."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name has no address"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def _trusted(ca_file: Path | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"the certificates in {ca_file} cannot be read: {error}", hint="give a file in PEM form"
        ) from error
