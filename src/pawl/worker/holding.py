"""What a worker's container executor and those of its jobs' processes share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # aiohttp takes 300 ms to import, and a worker of the host executor needs none
    from pawl.adapters.executor_docker import DockerExecutor
    from pawl.ports.executor import Executor


def docker_executor(data: Path, identity: str, *, tends: bool = False) -> DockerExecutor:
    """Return the container executor of a worker, or of one of its jobs.

    Args:
        data: the worker's data folder.
        identity: of the data folder, the beginning of its jobs' owners.
        tends: whether it is the worker itself, which removes holders that nobody needs.
    """
    from pawl.adapters.executor_docker import DockerExecutor, Holders  # noqa: PLC0415 - as above

    # No attempt has this name: to a worker that starts, what an earlier one held is left behind.
    holders = Holders(data / "holders", f"{identity}/holders")
    return DockerExecutor(holders=holders, memory=data / "engine.json", tends=tends)


def stop_holding(executor: Executor) -> Callable[[], None]:
    """Return what is to be called once a worker takes no more jobs: what it kept for them goes at once."""
    if executor.kind != "docker":
        return _nothing
    from pawl.adapters.executor_docker import DockerExecutor  # noqa: PLC0415 - as above

    return executor.stop_holding if isinstance(executor, DockerExecutor) else _nothing


def _nothing() -> None:
    return
