"""A TCP proxy that can fail in every way a network can: cut, shut, slow, and lose only what comes back."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_BLOCK = 64 * 1024
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Proxy:
    """Passes bytes between whoever connects to `port` and a server on this machine, in threads of its own.

    Attributes:
        port: where it listens; the same after `shut` and `open`.
        delay: seconds that every block waits, both ways.
        passed: connections made so far.
        lost: replies thrown away so far.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self.delay = 0.0
        self.passed = 0
        self.lost = 0
        self._target = target
        self._losing = 0
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def open(self) -> None:
        """Listen, on the port of before where there was one."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept, self._listener)

    def shut(self) -> None:
        """Take no new connection: whoever tries is refused."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def cut(self) -> None:
        """Reset every connection there is."""
        with self._lock:
            for end in self._open:
                _reset(end)

    def lose_replies(self, count: int) -> None:
        """Throw away the next `count` replies and reset their connections: what was asked has been done."""
        with self._lock:
            self._losing = count

    def end(self) -> None:
        """Shut and cut, and wait until nothing of it is left."""
        self.shut()
        self.cut()
        for thread in self._threads:
            thread.join(timeout=60)

    def _start(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    _reset(client)
                    client.close()
                    continue
                self.passed += 1
                with self._lock:
                    self._open |= {client, server}
                self._start(self._serve, client, server)

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        asking = threading.Thread(target=self._pass, args=(client, server), daemon=True)
        asking.start()
        self._pass(server, client, replies=True)
        asking.join()
        with self._lock:
            self._open -= {client, server}
        client.close()
        server.close()

    def _pass(self, source: socket.socket, sink: socket.socket, *, replies: bool = False) -> None:
        with suppress(OSError):
            while data := source.recv(_BLOCK):
                time.sleep(self.delay)
                if replies and self._loses_this():
                    break
                sink.sendall(data)
        _reset(sink)
        _reset(source)

    def _loses_this(self) -> bool:
        with self._lock:
            if not self._losing:
                return False
            self._losing -= 1
            self.lost += 1
            return True


def _reset(end: socket.socket) -> None:
    """Have the connection end in a reset; whoever reads from it here wakes."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """Yield a proxy to a port of this machine, open for connections."""
    proxy = Proxy(port)
    proxy.open()
    try:
        yield proxy
    finally:
        proxy.end()
