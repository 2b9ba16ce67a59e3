"""Readers that never read and connections that say nothing cost the server little, others nothing (F40)."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.installation import Installation, installation
from tests.faults.work import Ticking

FLOODING = """\
on: workflow_dispatch
jobs:
  work:
    runs-on: self-hosted
    steps:
      - run: yes 0123456789012345678901234567890123456789012345678901234567890123456789 | head -c {size}
"""
SIZE = 20_000_000
STUCK = 20
MOST_MORE = 60 << 20
"""Bytes that the server may grow by; the readers that do not read are owed 400 MB."""

IDLE = 1_000


@pytest.fixture(autouse=True)
def many_files() -> Iterator[None]:
    """Let this process and the server have as many connections as the test makes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, 3 * IDLE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard < 0 else min(wanted, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def pawl(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path, slots=1) as made:
        yield made


def _connect(stack: ExitStack, pawl: Installation) -> socket.socket:
    connection = stack.enter_context(socket.socket())
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", pawl.api.port))
    return connection


def _memory(pid: int) -> int:
    """Return the bytes of memory that a process has."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS:"))


def _read_whole(pawl: Installation, run: int) -> int:
    return sum(len(line) + 1 for line in pawl.api.log_lines(run) if line.startswith("0123456789"))


def test_readers_that_never_read_do_not_fill_the_servers_memory(pawl: Installation) -> None:
    run = pawl.api.trigger(FLOODING.format(size=SIZE))
    assert pawl.wait_for_end(run)["conclusion"] == "success"
    whole = _read_whole(pawl, run)
    assert whole >= SIZE - 100
    before = _memory(pawl.server_pid)
    token = pawl.api.token_file.read_text("utf-8").strip()
    head = f"GET /api/runs/{run}/logs?follow=1 HTTP/1.1\r\nHost: localhost\r\n"
    head += f"Authorization: Bearer {token}\r\n\r\n"
    with ExitStack() as stack:
        stuck = [_connect(stack, pawl) for _ in range(STUCK)]
        for each in stuck:
            each.sendall(head.encode())
        for each in stuck:
            assert each.recv(16).startswith(b"HTTP/1.1 200")
        assert _read_whole(pawl, run) == whole
        assert _memory(pawl.server_pid) - before < MOST_MORE
        work = Ticking(pawl)
        work.open_gate()
        work.assert_whole()


def test_a_thousand_connections_that_say_nothing_keep_nobody_waiting(pawl: Installation) -> None:
    before = _memory(pawl.server_pid)
    with ExitStack() as stack:
        idle = [_connect(stack, pawl) for _ in range(IDLE)]
        assert len(idle) == IDLE
        work = Ticking(pawl)
        work.wait_for_lines(3)
        work.open_gate()
        work.assert_whole()
        assert _memory(pawl.server_pid) - before < MOST_MORE
    assert "Traceback" not in pawl.told("server")
