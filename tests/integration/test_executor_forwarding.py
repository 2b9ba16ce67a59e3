"""What forwards ports in a job's container: each of the programs it is written in, on this machine."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawl.adapters.executor_docker.forwarding import Forward, forward_command, forwarded_ports, plan_forwards
from pawl.ports.executor import ImageRef, PortMapping, ServiceSpec

BLOB = bytes(range(256)) * 8_000


@pytest.fixture
def echo_port() -> Iterator[int]:
    """Yield the port of a server that sends everything back once it has heard the end."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    heard = b"".join(iter(lambda: connection.recv(65536), b""))  # noqa: B023 - used at once
                    connection.sendall(heard)

    thread = threading.Thread(target=serve)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("program", ["perl", "python3"])
def test_bytes_go_both_ways_and_so_does_the_end(program: str, echo_port: int, tmp_path: Path) -> None:
    """Of every program that forwards; `nc` is proven in containers."""
    # Not whatever is called python3: that may be a script which chooses one.
    found = sys.executable if program == "python3" else shutil.which(program)
    if not found:
        pytest.skip(f"this machine has no {program}")
    (tmp_path / program).symlink_to(Path(found).resolve())
    port = free_port()
    command = forward_command((Forward(port, "127.0.0.1", echo_port),))
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={"PATH": str(tmp_path)}) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            for _ in range(3):
                with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
                    client.sendall(BLOB)
                    client.shutdown(socket.SHUT_WR)
                    assert b"".join(iter(lambda: client.recv(65536), b"")) == BLOB
        finally:
            process.kill()


def test_an_image_with_nothing_to_forward_with_says_so(tmp_path: Path) -> None:
    command = forward_command((Forward(1, "x", 2),))
    assert subprocess.run(command, check=False, env={"PATH": str(tmp_path)}).returncode == 127


def service(name: str, *ports: PortMapping) -> ServiceSpec:
    return ServiceSpec(name=name, image=ImageRef(name="x"), ports=ports)


def test_a_port_without_a_wish_gives_way_to_one_with() -> None:
    services = (
        service("a", PortMapping(container=80)),
        service("b", PortMapping(container=81, host=80)),
        service("c", PortMapping(container=53, protocol="udp"), PortMapping(container=9, host=80)),
    )
    forwards, problems = plan_forwards(services)
    assert forwarded_ports(services, forwards) == {"a": {"80": 49152}, "b": {"81": 80}, "c": {}}
    assert len(problems) == 2
    assert "b and c both want localhost:80" in problems[0]
    assert "53/udp is reached at c" in problems[1]
