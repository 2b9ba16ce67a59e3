"""The sockets that the server listens on, and a web server that leaves signals to others."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pawl.core.model.errors import InfrastructureError, UsageError

_BACKLOG = 2048
_LONGEST_SOCKET_PATH = 100
"""Systems take a little more than a hundred bytes."""

_LARGEST_HEAD = 65_536
"""Bytes of a request before its body; what a single read brings may come on top."""

HEAD_PATIENCE = 30.0
"""Seconds that the head of a request may take, and that a new connection may say nothing."""

BODY_PATIENCE = 30.0
"""Seconds in each of which a body that is not whole yet brings `LEAST_BODY` bytes, however long it is."""

LEAST_BODY = 8_192
"""Bytes; so the slowest link that may upload has some 2 kbit/s."""


class _BoundedRequest(HttpToolsProtocol):
    """Uvicorn's protocol, which alone would wait for a request for ever, however long its head gets."""

    _in_head = True
    _in_body = False
    _head = 0
    _body = 0
    _was_held = False
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._late = self.loop.call_later(HEAD_PATIENCE, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._end_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._in_head, self._head = True, 0
        if self._late is None:
            self._late = self.loop.call_later(HEAD_PATIENCE, self.transport.close)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """End counting: a body may be long, if it keeps coming."""
        self._in_head, self._in_body = False, True
        self._end_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count what came."""
        super().on_body(body)
        self._body += len(body)
        self._was_held |= self.flow.read_paused

    def on_message_complete(self) -> None:
        """Wait for nothing any more."""
        self._in_body = False
        self._end_waiting()
        super().on_message_complete()

    def _look_at_the_pace(self) -> None:
        """Begin to wait for the next bytes of a body, or let go of a caller of whom too few came.

        Where the server itself did not read for a while, the caller is not to blame.
        """
        if self._late is not None and self._body < LEAST_BODY and not self._was_held:
            self.transport.close()
            return
        self._body, self._was_held = 0, self.flow.read_paused
        self._late = self.loop.call_later(BODY_PATIENCE, self._look_at_the_pace)

    def _end_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def data_received(self, data: bytes) -> None:
        """Take what came; let go of a caller whose head does not end."""
        super().data_received(data)
        if self._in_body and self._late is None and not self.transport.is_closing():
            self._look_at_the_pace()
        if self._in_head:
            self._head += len(data)
            if self._head > _LARGEST_HEAD and not self.transport.is_closing():
                self.send_400_response("The head of the request is too large.")


class WebServer(uvicorn.Server):
    """Uvicorn without its own ideas about signals: `pawl.server.main` says when it ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def make_web_server(application: ASGIApp, grace: float) -> WebServer:
    """Return a web server that gives requests at most `grace` seconds when it ends."""
    config = uvicorn.Config(
        application,
        http=_BoundedRequest,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, round(grace)),
        backlog=_BACKLOG,
    )
    return WebServer(config)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address.

    Raises:
        UsageError: the address is taken, or none of this machine's.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        made = socket.create_server(address[:2], family=family, backlog=_BACKLOG, reuse_port=False)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "something else listens there" if taken else error.strerror or str(error)
        raise UsageError(
            f"the server cannot listen on {host} port {port}: {why}",
            hint="choose another with --port" if taken else "choose another with --host and --port",
        ) from error
    # asyncio would set it only for a socket made with an explicit protocol; without, the second part of every
    # answer on a kept connection waits some 40 ms for the acknowledgement of the first.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setblocking(False)
    return made


def address_of(listener: socket.socket) -> str:
    """Return the URL of a listening socket, as this machine reaches it."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared with, not listened on
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.contextmanager
def private_socket(wanted: Path) -> Iterator[tuple[socket.socket, Path]]:
    """Yield a Unix socket that only its owner may use, and where it is: `wanted`, if that is short enough.

    Raises:
        InfrastructureError: the system refuses.
    """
    with contextlib.ExitStack() as stack:
        path = wanted
        if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
            path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pawl-"))) / "worker.sock"
        before = os.umask(0o177)
        try:
            path.unlink(missing_ok=True)
            made = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            made.bind(str(path))
            made.listen(_BACKLOG)
        except OSError as error:
            raise InfrastructureError(f"{path} cannot be made: {error.strerror or error}") from error
        finally:
            os.umask(before)
        made.setblocking(False)
        stack.callback(path.unlink, missing_ok=True)
        yield made, path
