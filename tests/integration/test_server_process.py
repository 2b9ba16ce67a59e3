"""The server as a process: its folder, its end, and the worker it keeps running."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.server.embedded import EmbeddedWorker
from pawl.server.listening import listen, private_socket
from pawl.server.locking import locked, make_private, write_private
from tests.integration.serving import PATIENCE, until


class Process:
    """`pawl serve` with its data in a folder, on a port that it chooses."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.data, self.out = folder / "data", folder / "out"
        self._connections: list[http.client.HTTPConnection] = []
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PAWL_")}
        command = [sys.executable, "-m", "pawl.cli.main", "serve", "--data", str(self.data), "--port", "0"]
        with self.out.open("ab") as out:
            self.process = subprocess.Popen(
                [*command, "--workers", "0", *options],
                cwd=folder,
                env={**environment, "HOME": str(folder)},
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
            )

    def end(self) -> None:
        """Kill it, and close what was opened to it."""
        for connection in self._connections:
            connection.close()
        self.process.kill()
        self.process.wait()

    @property
    def told(self) -> str:
        return self.out.read_text("utf-8")

    def ready(self) -> http.client.HTTPConnection:
        """Wait until it serves and return a connection."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self.process.poll() is None, self.told
            with contextlib.suppress(OSError):
                port = (self.data / "address").read_text("ascii").strip().rpartition(":")[2]
                connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=PATIENCE)
                self._connections.append(connection)
                connection.request("GET", "/ready")
                if connection.getresponse().read() and self.process.poll() is None:
                    return connection
            time.sleep(0.05)
        raise AssertionError(self.told)


Start: TypeAlias = Callable[[], Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start servers on one data folder; afterwards none is left."""
    made: list[Process] = []

    def one() -> Process:
        made.append(Process(tmp_path))
        return made[-1]

    yield one
    for each in made:
        each.end()


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _ask(server: Process, path: str) -> http.client.HTTPResponse:
    connection = server.ready()
    token = (server.data / "token").read_text("utf-8").strip()
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    return connection.getresponse()


def test_a_server_starts_keeps_its_folder_private_and_ends_on_a_signal(start: Start) -> None:
    server = start()
    answer = _ask(server, "/api/runs")
    assert answer.status == 200
    token = (server.data / "token").read_text("utf-8").strip()
    assert server.told.count(token) == 1
    assert _mode(server.data) == 0o700
    assert {_mode(server.data / name) for name in ("token", "worker.sock", "server.lock")} == {0o600}
    second = start()
    assert second.process.wait(PATIENCE) == 2
    assert f"in use by another server (pid {server.process.pid})" in server.told
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(PATIENCE) == 0
    again = start()
    assert _ask(again, "/api/tokens").status == 200
    again.process.send_signal(signal.SIGINT)
    assert again.process.wait(PATIENCE) == 0
    assert (server.data / "token").read_text("utf-8").strip() == token
    assert server.told.count(token) == 1
    assert "Traceback" not in server.told


def test_an_open_stream_does_not_hold_up_the_end(start: Start) -> None:
    server = start()
    connection = server.ready()
    token = (server.data / "token").read_text("utf-8").strip()
    workflow = "on: workflow_dispatch\\njobs: {a: {runs-on: self-hosted, steps: [{run: make}]}}"
    body = f'{{"path": ".github/workflows/x.yml", "workflow": "{workflow}"}}'
    connection.request("POST", "/api/runs", body, {"Authorization": f"Bearer {token}"})
    assert connection.getresponse().read()
    connection.request("GET", "/api/runs/1/events", headers={"Authorization": f"Bearer {token}"})
    stream = connection.getresponse()
    assert stream.readline()
    server.process.send_signal(signal.SIGTERM)
    stream.read()
    assert server.process.wait(PATIENCE) == 0
    assert "Traceback" not in server.told


def test_a_token_that_was_lost_is_made_anew_for_this_machine(start: Start) -> None:
    server = start()
    server.ready()
    (server.data / "token").unlink()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(PATIENCE) == 0
    assert _ask(start(), "/api/tokens").status == 200


def test_a_folder_has_one_server(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(UsageError, match=f"pid {os.getpid()}"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "ascii")
    with pytest.raises(InfrastructureError, match="cannot be made"):
        make_private(tmp_path / "file/data")


def test_a_private_file_is_whole_and_private(tmp_path: Path) -> None:
    write_private(tmp_path / "token", "a")
    write_private(tmp_path / "token", "b")
    assert (tmp_path / "token").read_text("ascii") == "b"
    assert _mode(tmp_path / "token") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


def test_answers_do_not_wait_for_the_acknowledgement_of_their_beginning() -> None:
    with listen("127.0.0.1", 0) as made:
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_that_is_taken_is_told() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(UsageError, match="something else listens there"):
        listen("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(UsageError, match="cannot listen"):
        listen("192.0.2.1", 0)


def test_a_socket_has_a_place_however_long_the_folders_name_is(tmp_path: Path) -> None:
    for wanted in (tmp_path / "s", tmp_path / ("x" * 100) / "s"):
        with private_socket(wanted) as (_, path):
            assert _mode(path) == 0o600
        assert not path.exists()


def _worker(tmp_path: Path, script: str) -> EmbeddedWorker:
    return EmbeddedWorker(["sh", "-c", script], tmp_path / "worker.pid")


async def test_a_worker_that_dies_is_started_again(tmp_path: Path) -> None:
    worker = _worker(tmp_path, "sleep 1000")
    running = asyncio.create_task(worker.run())
    for turn in (1, 2):
        await until(lambda turn=turn: worker.starts == turn and worker.pid)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
    await until(lambda: worker.starts == 3 and worker.pid)
    await worker.stop(PATIENCE)
    await asyncio.wait_for(running, PATIENCE)
    assert worker.pid is None
    assert not (tmp_path / "worker.pid").exists()


async def test_a_worker_that_does_not_end_is_killed(tmp_path: Path) -> None:
    worker = _worker(tmp_path, f"trap '' TERM; touch {tmp_path}/up; while :; do sleep 0.1; done")
    running = asyncio.create_task(worker.run())
    await until((tmp_path / "up").exists)
    await worker.stop(0.1)
    await asyncio.wait_for(running, PATIENCE)
    assert worker.pid is None


async def test_the_worker_of_a_server_that_was_killed_is_ended_first(tmp_path: Path) -> None:
    former = _worker(tmp_path, "sleep 1000")
    running = asyncio.create_task(former.run())
    await until((tmp_path / "worker.pid").exists)
    # As after a kill -9 of the server: the worker lives, its file is there, and nobody looks after it.
    next_one = _worker(tmp_path, "sleep 1000")
    first = former.pid
    following = asyncio.create_task(next_one.run())
    await until(lambda: former.pid != first and next_one.pid)
    for worker, task in ((former, running), (next_one, following)):
        await worker.stop(PATIENCE)
        await asyncio.wait_for(task, PATIENCE)


async def test_a_worker_that_cannot_be_started_is_no_end_of_the_server(tmp_path: Path) -> None:
    worker = EmbeddedWorker([str(tmp_path / "nothing")], tmp_path / "worker.pid")
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(0)
    await worker.stop(1)
    await asyncio.wait_for(running, PATIENCE)
    assert worker.starts == 0


def test_what_a_server_and_its_worker_say_is_all_json_and_a_misspelt_variable_is_told_once(
    tmp_path: Path,
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAWL_")}
    command = [sys.executable, "-m", "pawl.cli.main", "serve", "--data", str(tmp_path / "data")]
    err = tmp_path / "err"
    with err.open("wb") as stream:
        server = subprocess.Popen(
            [*command, "--port", "0", "--workers", "1", "--executor", "host"],
            cwd=tmp_path,
            env={**environment, "HOME": str(tmp_path), "PAWL_SERVER_PROT": "1"},
            stdout=subprocess.DEVNULL,
            stderr=stream,
        )
    try:
        end = time.monotonic() + PATIENCE
        while "is ready: 1 at once" not in err.read_text("utf-8"):
            assert server.poll() is None, err.read_text("utf-8")
            assert time.monotonic() < end, err.read_text("utf-8")
            time.sleep(0.05)
        server.terminate()
        assert server.wait(PATIENCE) == 0
    finally:
        server.kill()
        server.wait()
    first, *lines = err.read_text("utf-8").splitlines()
    assert first == "note: PAWL_SERVER_PROT is not read by Pawl: did you mean PAWL_SERVER_PORT?"
    told = [json.loads(line) for line in lines]
    assert {"serving", "stopped"} <= {each["event"] for each in told}
    assert [each for each in told if each["level"] != "info"] == []
