"""The proxy of these tests fails as it says, and only so."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.faults.proxy import proxy_to


@contextmanager
def _echo(seen: list[bytes]) -> Iterator[int]:
    """Yield the port of a server that answers every line with itself."""

    def answer(connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as file, suppress(OSError):
            for line in file:
                seen.append(line)
                file.write(line)
                file.flush()

    def accept() -> None:
        with suppress(OSError):
            while True:
                answer(listener.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=60)


def _ask(port: int, line: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(line)
        return connection.recv(100)


def test_it_passes_both_ways_and_a_cut_ends_it() -> None:
    with _echo([]) as port, proxy_to(port) as proxy:
        assert _ask(proxy.port, b"one\n") == b"one\n"
        with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
            connection.sendall(b"two\n")
            assert connection.recv(100) == b"two\n"
            proxy.cut()
            with suppress(ConnectionResetError):
                assert connection.recv(100) == b""


def test_shut_it_refuses_and_opened_it_is_where_it_was() -> None:
    with _echo([]) as port, proxy_to(port) as proxy:
        before = proxy.port
        proxy.shut()
        with pytest.raises(ConnectionRefusedError):
            _ask(before, b"one\n")
        proxy.open()
        assert _ask(before, b"two\n") == b"two\n"


def test_a_lost_reply_was_asked_for_all_the_same() -> None:
    seen: list[bytes] = []
    with _echo(seen) as port, proxy_to(port) as proxy:
        proxy.lose_replies(1)
        with suppress(ConnectionResetError):
            assert _ask(proxy.port, b"one\n") == b""
        assert _ask(proxy.port, b"two\n") == b"two\n"
        assert (seen, proxy.lost) == ([b"one\n", b"two\n"], 1)
