"""The composition root of the worker: which adapter stands behind which port, and what signals do."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from pawl.adapters.executor_host import HostExecutor
from pawl.adapters.job_processes import JobProcesses
from pawl.adapters.server_http import HttpServerLink
from pawl.adapters.system import SystemClock, SystemRandomness, share_arenas, spread_folders
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.ports.executor import Executor
from pawl.ports.job_host import JobHost
from pawl.ports.server_link import ServerLink
from pawl.worker.holding import docker_executor, stop_holding
from pawl.worker.options import WorkerOptions
from pawl.worker.tools import Notice, Tools
from pawl.worker.watchdog import Watchdog
from pawl.worker.worker import Worker

_HEARTBEAT = 10.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PREFIX = "pawlw1"


def serve_worker(options: WorkerOptions, notice: Notice) -> int:
    """Run a worker until it is drained, and return the exit code 0.

    Args:
        options: what it is told.
        notice: told a sentence about everything that people should know.

    Raises:
        UsageError: the server refuses it, or its data folder is in use.
        InfrastructureError: the data folder cannot be used.
    """
    share_arenas()
    return asyncio.run(_serve(options, notice))


async def _serve(options: WorkerOptions, notice: Notice) -> int:
    with own_folder(options.data) as identity:
        link = HttpServerLink(
            options.url,
            options.token,
            unix_socket=options.unix_socket,
            ca_file=options.ca_file,
            name=options.name,
        )
        executor = await choose_executor(options.executor, notice, data=options.data, identity=identity)
        host = JobProcesses(job_command(executor.kind), ready=True)
        try:
            await work(options, notice, link=link, executor=executor, host=host, identity=identity)
        finally:
            await host.aclose()
            await executor.aclose()
            await link.aclose()
    return 0


def job_command(executor: str) -> tuple[str, ...]:
    """Return the command of a job's process, to which its folder is added."""
    return (sys.executable, "-P", "-m", "pawl.worker.job", executor)


async def work(
    options: WorkerOptions,
    notice: Notice,
    *,
    link: ServerLink,
    executor: Executor,
    host: JobHost,
    identity: str,
) -> None:
    """Run a worker over the given ports until it is drained; signals are taken while it runs.

    Raises:
        UsageError: the server refuses it.
    """
    tools = Tools(
        link=link,
        host=host,
        executor=executor,
        clock=SystemClock(),
        randomness=SystemRandomness(),
        notice=notice,
    )
    spools = options.data / "jobs"
    spread_folders(spools)
    worker = Worker(options, tools, spools=spools, identity=identity)
    let_go = stop_holding(executor)

    def interrupt() -> None:
        worker.interrupt()
        let_go()

    with _listening(interrupt):
        async with _watched():
            await worker.run()


@contextmanager
def own_folder(folder: Path) -> Iterator[str]:
    """Make the data folder and keep other workers out of it while the block runs; yield its identity.

    Raises:
        UsageError: another worker has it.
        InfrastructureError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        lock = os.open(folder / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InfrastructureError(
            f"The worker's data folder {folder} cannot be used: {error.strerror}",
            hint="name another with --data, or mend its permissions",
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                f"another worker uses the data folder {folder}", hint="give each a folder with --data"
            ) from error
        # The lock's file is the folder's own for as long as it exists, so a token in it is its identity.
        token = os.pread(lock, 64, 0).decode("ascii", "replace").strip()
        if not token:
            token = SystemRandomness().token(8)
            os.pwrite(lock, token.encode(), 0)
        yield f"{_PREFIX}/{token}"
    finally:
        os.close(lock)


async def choose_executor(wanted: str, notice: Notice, *, data: Path, identity: str) -> Executor:
    """Return the executor that is wanted, whether or not it can be used now.

    `auto` is containers where an engine answers, else this machine itself, which is told.
    """
    if wanted == "host":
        return HostExecutor()
    docker = docker_executor(data, identity, tends=True)
    if wanted == "docker":
        return docker
    try:
        await docker.probe()
    except InfrastructureError as error:
        await docker.aclose()
        notice(f"{error.message}: jobs run on this machine itself, with no isolation")
        return HostExecutor()
    return docker


@contextmanager
def _listening(interrupt: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for each in _SIGNALS:
        loop.add_signal_handler(each, interrupt)
    try:
        yield
    finally:
        for each in _SIGNALS:
            loop.remove_signal_handler(each)


@asynccontextmanager
async def _watched() -> AsyncIterator[None]:
    watchdog = Watchdog(2 * _HEARTBEAT)
    watchdog.start()

    async def beat() -> None:
        while True:
            watchdog.tell()
            await asyncio.sleep(1)

    beating = asyncio.ensure_future(beat())
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        watchdog.stop()
