"""What the server's metrics say of runs and attempts that have just changed."""

from __future__ import annotations

import re
from pathlib import Path

from pawl.core.model.ids import JobId, RunId
from pawl.core.model.records import AttemptRef
from pawl.core.model.status import Conclusion
from pawl.core.model.work import Result
from tests.integration.serving import Serving, serving, until

ENDED = 'ci_runs_total{event="workflow_dispatch",status="success"}'


def _counted(metrics: bytes, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", metrics.decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


async def _asked(server: Serving, name: str) -> float:
    return _counted((await server.ask("GET", "/metrics")).body, name)


async def test_what_changed_is_counted_in_the_next_answer_and_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        link, lease = await server.begun()
        assert await _asked(server, "ci_job_queue_seconds_count") == 1
        assert await _asked(server, "ci_job_duration_seconds_count") == 0
        for _ in range(2):
            await link.finish(lease, Result(key="k", conclusion=Conclusion.SUCCESS, duration=1.0))
            server.services.counting.begun(lease.ref)
            assert await _asked(server, "ci_job_queue_seconds_count") == 1
            assert await _asked(server, "ci_job_duration_seconds_count") == 1
            assert await _asked(server, ENDED) == 1


async def test_what_changed_is_counted_though_nobody_asks(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        link, lease = await server.begun()
        await link.finish(lease, Result(key="k", conclusion=Conclusion.SUCCESS, duration=1.0))
        await until(lambda: _counted(server.services.metrics.text(), ENDED) == 1)


async def test_a_run_that_is_not_there_any_more_keeps_no_other_from_being_counted(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        link, lease = await server.begun()
        server.services.counting.finished(AttemptRef(run=RunId(99), job=JobId("gone"), attempt=1))
        await link.finish(lease, Result(key="k", conclusion=Conclusion.SUCCESS, duration=1.0))
        assert await _asked(server, ENDED) == 1
