from __future__ import annotations

import socket
from pathlib import Path

import pytest
from aiodocker.exceptions import DockerError

from pawl.adapters.executor_docker.engine import connect, find_address
from pawl.adapters.executor_docker.errors import UNREACHABLE, translate
from pawl.core.model.errors import InfrastructureError


def test_an_address_that_is_given_is_taken() -> None:
    assert find_address({"DOCKER_HOST": "tcp://x:1"}) == "tcp://x:1"


def test_a_usual_socket_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "docker.sock"
    monkeypatch.chdir(tmp_path)  # a socket's path may have 107 bytes only, and temporary folders may lie deep
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path.name)
        assert find_address({"XDG_RUNTIME_DIR": str(tmp_path)}) == f"unix://{path}"


async def test_an_address_of_a_kind_that_cannot_be_used_is_told_with_the_mend() -> None:
    with pytest.raises(InfrastructureError, match="cannot be used") as caught:
        connect("ssh://me@host")
    assert "ssh -NL" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("reason", "mend"),
    [("Permission denied", "join it"), ("Connection refused", "is the engine running?")],
)
def test_an_engine_out_of_reach_is_told_by_what_the_system_said(reason: str, mend: str) -> None:
    said = f"Cannot connect to Docker Engine via x [Cannot connect to unix socket /s ssl:default [{reason}]]"
    error = translate(DockerError(UNREACHABLE, said), "The engine cannot be used")
    assert error.message == f"The engine cannot be used: {reason}"
    assert mend in (error.hint or "")
