"""Having done it all once: what Python prepares at first use is there before the first job comes."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from pawl.core.model.events import Event
from pawl.core.model.ids import Epoch, JobId, RunId
from pawl.core.model.plan import Combination, Plan
from pawl.core.model.records import AttemptRef
from pawl.core.model.work import Lease, Payload, Work
from pawl.core.planning.plan import plan_workflow
from pawl.core.planning.storage import plan_to_json
from pawl.core.workflow.parse import parse_workflow
from pawl.engine.execution.cancellation import Cancellation
from pawl.worker.spool import Held, Order, Spool, make_spool

_WORKFLOW = "on: push\njobs:\n  warm:\n    runs-on: [self-hosted]\n    steps:\n      - run: 'true'\n"
_LOG_CAP = 65_536

Execute = Callable[[Spool, Order, Cancellation], Awaitable[object]]


def warm_up(execute: Execute) -> None:
    """Have `execute` run a job that is cancelled before its first step: no process is started.

    Whatever goes wrong with that is nobody's loss.
    """
    with contextlib.suppress(Exception), tempfile.TemporaryDirectory(prefix="pawl-") as folder:
        work = _work()
        held = Held(lease=work.lease, correlation="", key="", owner="pawlw1/warm/up")
        spool = make_spool(Path(folder), held)
        spool.write_order(Order(work=work, owner=held.owner, log_cap=_LOG_CAP))
        cancellation = Cancellation()
        cancellation.request("it is only to get warm", at_once=True)

        async def run() -> None:
            await execute(spool, spool.take_order(), cancellation)

        asyncio.run(run())


def _work() -> Work:
    plan = _plan()
    (job,) = plan.jobs
    ref = AttemptRef(run=RunId(0), job=JobId(job.key), attempt=1)
    return Work(
        lease=Lease(ref=ref, epoch=Epoch(1), seconds=1.0),
        number=0,
        run_attempt=1,
        correlation="",
        plan=plan_to_json(plan),
        payload=Payload(
            key=job.key,
            combination=Combination(index=0, total=1, name=str(job.key), values={}),
            fail_fast=True,
            max_parallel=None,
            needs={},
        ),
    )


def _plan() -> Plan:
    parsed = parse_workflow(_WORKFLOW, ".github/workflows/warm.yml")
    if parsed.workflow is None:
        raise ValueError(parsed.diagnostics)
    planned = plan_workflow(parsed.workflow, Event(name="push"), inputs={}, variables={})
    if planned.plan is None:
        raise ValueError(planned.diagnostics)
    return planned.plan
