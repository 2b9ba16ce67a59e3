"""The composition root of local runs: which adapter stands behind which port."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from pawl.adapters.executor_host import HostExecutor
from pawl.adapters.git.tree import WorkingTree
from pawl.cli.project import Project
from pawl.core.model.errors import InfrastructureError
from pawl.ports.executor import Executor, ImageFacts
from pawl.ports.source import Source

Notice = Callable[[str], None]
"""Told one sentence that people should know, on standard error."""


class SystemClock:
    """The machine's clock (ports.clock)."""

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        await asyncio.sleep(seconds)


def open_source(project: Project) -> Source:
    """Return the project's working tree as a source."""
    return WorkingTree(project.root)


async def choose_executor(wanted: str, notice: Notice) -> Executor:
    """Return a working executor: the one wanted, or for `auto` containers where an engine answers.

    What was chosen without being asked for is told to `notice`.

    Raises:
        InfrastructureError: the one wanted cannot be used.
    """
    if wanted == "host":
        return await _checked(HostExecutor())
    docker = docker_executor()
    try:
        return await _checked(docker)
    except InfrastructureError as error:
        if wanted != "auto":
            raise
        notice(
            f"{error.message}: running on this machine itself, with no isolation."
            " `--executor host` says so without this notice."
        )
        return await _checked(HostExecutor())


def docker_executor() -> Executor:
    """Return the container executor; nothing is asked of an engine yet."""
    from pawl.adapters.executor_docker import DockerExecutor  # noqa: PLC0415 - aiohttp takes 150 ms to import

    return DockerExecutor()


def host_executor() -> Executor:
    """Return the executor that runs jobs on this machine itself."""
    return HostExecutor()


async def find_image(executor: Executor, name: str) -> ImageFacts | None:
    """Return the facts of an image that the engine has already; None when it would have to be pulled."""
    from pawl.adapters.executor_docker import DockerExecutor  # noqa: PLC0415 - as above

    return await executor.find_image(name) if isinstance(executor, DockerExecutor) else None


async def open_shell(sandbox: str) -> int:
    """Join this terminal to a shell in a kept sandbox and return the shell's exit code.

    Raises:
        UsageError: there is no such container any more.
        InfrastructureError: the engine failed.
    """
    from pawl.adapters.executor_docker.shell import attach_shell  # noqa: PLC0415 - as above

    return await attach_shell(sandbox)


async def _checked(executor: Executor) -> Executor:
    try:
        await executor.probe()
    except BaseException:
        await executor.aclose()
        raise
    return executor
