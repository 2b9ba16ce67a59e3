"""A real registry (distribution) on a loopback port of its own, and a proxy in front of it that can fail."""

from __future__ import annotations

import asyncio
import io
import os
import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

USER, PASSWORD = "tester", "open sesame"
_BCRYPT = "$2b$04$2sQ6JBgpSG/4zsBoIvKOO.Bno/b6nd02Ci702isYXrSOoKzGhL4pK"
"""The password by `htpasswd -B`; Python has no bcrypt of its own any more."""

_CONFIG = """
version: 0.1
log: {{level: info, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {root}}}, delete: {{enabled: true}}}}
http: {{addr: '127.0.0.1:0'}}
{auth}
"""
_AUTH = "auth: {{htpasswd: {{realm: test, path: {path}}}}}"
_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Registry:
    """Where a registry listens."""

    port: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


def find_program() -> str:
    """Return the registry's program; skip where `tools/engine/registry` brings none, fail with CI set."""
    found = shutil.which("docker-registry")
    if found is None:
        tool = Path(__file__).parents[2] / "tools" / "engine" / "registry"
        told = subprocess.run([tool], capture_output=True, text=True, check=False, timeout=300)
        if told.returncode == 0:
            return told.stdout.strip()
        if os.environ.get("CI"):
            pytest.fail(f"CI is set and there is no registry: {told.stderr}")
        pytest.skip(f"no registry: {told.stderr}")
    return found


@contextmanager
def registry(root: Path, *, locked: bool) -> Iterator[Registry]:
    """Run a registry; `locked` asks for a user and a password."""
    root.mkdir()
    (root / "users").write_text(f"{USER}:{_BCRYPT}\n")
    auth = _AUTH.format(path=root / "users") if locked else ""
    (root / "config.yml").write_text(_CONFIG.format(root=root / "data", auth=auth))
    environment = {"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"}
    with (root / "log").open("wb") as log:
        program = subprocess.Popen(
            [find_program(), "serve", root / "config.yml"],
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=environment,
        )
    try:
        yield Registry(_port_of(program, root / "log"))
    finally:
        program.kill()
        program.wait()


def _port_of(program: subprocess.Popen[bytes], log: Path) -> int:
    """Wait until a registry has told the port it was given, and return that."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        listening = re.search(rb"listening on 127\.0\.0\.1:(\d+)", log.read_bytes())
        if listening:
            return int(listening[1])
        assert program.poll() is None, log.read_text()
        time.sleep(0.01)
    pytest.fail(f"the registry does not listen: {log.read_text()}")


def image_archive(size: int) -> bytes:
    """Return the tar of a layer that no other image has."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("content")
        member.size = size
        archive.addfile(member, io.BytesIO(os.urandom(size)))
    return file.getvalue()


class Faulty:
    """A proxy that answers 503 to every request while `broken`, and else hands all on to the registry."""

    def __init__(self, behind: Registry) -> None:
        self.broken = True
        self.refused = 0
        self._behind = behind
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def start(self) -> Registry:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return Registry(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await self._answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._running.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(1)
        if self.broken and first.isalpha():  # and not the first byte of TLS, which engines try first
            await reader.readuntil(_HEAD_END)
            self.refused += 1
            writer.write(
                b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            await writer.drain()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._behind.port)
        back.write(first)
        try:
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        finally:
            back.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(65536):
        writer.write(block)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()
