"""What the server's metrics say of runs and attempts that have just changed."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest

from pawl.core.model.ids import JobId, RunId
from pawl.core.model.records import AttemptRef
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.work import Result
from pawl.server.log_lines import JsonLines
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


async def test_transactions_on_the_store_are_timed(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        names = [f'ci_db_query_seconds_count{{kind="{kind}"}}' for kind in ("read", "write")]
        before = [await _asked(server, name) for name in names]
        await server.trigger()
        after = [await _asked(server, name) for name in names]
        assert all(late > early for early, late in zip(before, after, strict=True))
        with pytest.raises(ZeroDivisionError):
            await server.services.store.write(lambda _: 1 // 0)
        assert await _asked(server, 'ci_db_query_seconds_count{kind="write"}') > after[1]


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self.told: list[dict[str, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(json.loads(self.format(record)))


async def test_the_log_has_a_run_from_request_to_end_under_one_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = _Lines()
    logger = logging.getLogger("pawl.server")
    monkeypatch.setattr(logger, "handlers", [lines])
    logger.setLevel(logging.INFO)
    async with serving(tmp_path) as server:
        link, lease = await server.begun()
        lost = Result(
            key="k", conclusion=Conclusion.FAILURE, failure_class=FailureClass.SYSTEM,
            reason="no\x1b[2J disk", duration=1.0,
        )  # fmt: skip
        for _ in range(2):
            await link.finish(lease, lost)
        await server.services.counting.settle()
    told = [each for each in lines.told if each.get("run") == lease.ref.run]
    assert [(each["event"], each["level"]) for each in told] == [
        ("run accepted", "info"),
        ("job began", "info"),
        ("job ended", "warning"),
        ("run ended", "info"),
    ]
    assert len({each["correlation"] for each in told}) == 1
    assert told[0]["correlation"]
    assert told[1]["worker"]
    assert (told[2]["class"], told[2]["reason"], told[3]["conclusion"]) == (
        "system",
        "no [2J disk",
        "failure",
    )
