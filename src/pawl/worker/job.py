"""The process of one attempt: `python -m pawl.worker.job EXECUTOR FOLDER`.

It runs the job and writes what comes of it into the folder; the worker sends that on. It knows no server.
With `--wait N` for the folder it waits, everything imported, for folders, and forks for each.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from pawl.adapters.executor_host import HostExecutor, stand_back
from pawl.adapters.job_processes import InsideJob, StopRequest, take_handed, wait_for_work
from pawl.adapters.runs_folder import FolderLogs
from pawl.adapters.runs_folder.events import EventFile
from pawl.adapters.system import SystemClock
from pawl.core.model.errors import InfrastructureError, PawlError
from pawl.core.model.plain import from_plain
from pawl.core.model.status import FailureClass
from pawl.core.model.work import Begun, Result
from pawl.engine.execution.cancellation import Cancellation
from pawl.engine.execution.job import execute_job
from pawl.engine.execution.request import JobOutcome, Ports
from pawl.ports.executor import Executor
from pawl.worker.holding import docker_executor
from pawl.worker.job_artifacts import JobArtifacts
from pawl.worker.request import failed, job_request, log_ends, result_of
from pawl.worker.source import SpooledSource
from pawl.worker.spool import Order, Spool, read_spool
from pawl.worker.waking import Waking, WakingLogs, WakingReporter
from pawl.worker.warming import warm_up

DOCKER = "docker"
_MODESTY = 10
"""How far a job on the host stands back for its worker's renewals and a server on the same machine."""


def main(arguments: Sequence[str]) -> int:
    """Run one attempt and return 0 when its result is written, else 1."""
    kind, *rest = arguments
    if kind == DOCKER:
        _import_docker()
    if rest[0] == "--wait":
        warm_up(_execute_nothing)
        waited = wait_for_work(int(rest[1]))
        if waited is None:
            return 0
        folder = waited
    else:
        folder = Path(rest[0])
    os.nice(_MODESTY)
    stand_back(os.getpid())
    inside = InsideJob(folder)
    spool, handed = read_spool(folder), take_handed()
    return asyncio.run(_live(spool, kind, inside, handed))


async def _live(spool: Spool, kind: str, inside: InsideJob, handed: bytes) -> int:
    """Run the job and tell how it ended; what nobody waits for is taken down after that."""
    cancellation = Cancellation()

    def stop(asked: StopRequest) -> None:
        cancellation.request(asked.reason, at_once=asked.at_once)

    executor = _executor(kind, spool)
    # To the very end: what asks it to stop once the job is over changes nothing, and signals end nothing.
    with inside.listening(stop):
        try:
            result = await _result(spool, handed, executor, inside, cancellation)
            try:
                spool.write_result(result)
            except InfrastructureError as error:
                sys.stderr.write(f"{error.message}\n")
                return 1
            inside.wake()
            return 0
        finally:
            await executor.aclose()


def _import_docker() -> None:
    import pawl.adapters.executor_docker  # noqa: F401, PLC0415 - aiohttp takes 300 ms to import: before the fork


def _executor(kind: str, spool: Spool) -> Executor:
    if kind != DOCKER:
        return HostExecutor()
    # The spool is a folder of `jobs` in the worker's data folder.
    return docker_executor(spool.path.parent.parent, spool.held.owner.rpartition("/")[0])


def _fault(spool: Spool, error: Exception) -> Result:
    if isinstance(error, InfrastructureError):
        return failed(spool.held.key, error.message, FailureClass.INFRASTRUCTURE, log_ends(spool))
    told = error.message if isinstance(error, PawlError) else f"{type(error).__name__}: {error}"
    reason = f"a fault of Pawl's own: {told}"
    return failed(spool.held.key, reason, FailureClass.SYSTEM, log_ends(spool))


async def _result(
    spool: Spool, handed: bytes, executor: Executor, inside: InsideJob, cancellation: Cancellation
) -> Result:
    try:
        given = from_plain(Begun, json.loads(handed), "what the job is given", strict=False)
        outcome = await _execute(spool, (spool.take_order(), given), executor, inside, cancellation)
        return result_of(outcome, spool.held.key, log_ends(spool))
    except Exception as error:  # noqa: BLE001 - the fence of this process: whatever it is, the server is told
        traceback.print_exc()
        return _fault(spool, error)


async def _execute_nothing(spool: Spool, order: Order, cancellation: Cancellation) -> JobOutcome:
    return await _execute(spool, (order, Begun()), HostExecutor(), InsideJob(spool.path), cancellation)


async def _execute(
    spool: Spool,
    wanted: tuple[Order, Begun],
    executor: Executor,
    inside: InsideJob,
    cancellation: Cancellation,
) -> JobOutcome:
    (order, given), clock = wanted, SystemClock()
    source = SpooledSource(spool, order, given.clone, clock, inside.wake)
    project = spool.path / "project"
    request = job_request(order, given, spool.work, project)
    events = EventFile(spool.events, durable=False)
    waking = Waking(inside.wake)
    try:
        if request.planned.env_file is not None:
            project.mkdir()
            await source.copy_to(project)
        return await execute_job(
            request,
            Ports(
                executor=executor,
                source=source,
                logs=WakingLogs(FolderLogs(spool.logs, cap=order.log_cap, durable=False), waking),
                artifacts=JobArtifacts(spool, inside.wake),
                reporter=WakingReporter(events, waking),
                clock=clock,
            ),
            cancellation,
        )
    finally:
        waking.cancel()
        events.close()
        await source.aclose()


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Not by way of `sys.exit`: taking Python down takes longer than a short job.
    os._exit(code)
