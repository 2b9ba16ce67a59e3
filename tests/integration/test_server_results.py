"""The end of an attempt over HTTP: who may tell it, and that it is told once (R2, I18)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pawl.adapters.server_http import HttpServerLink
from pawl.core.model.errors import Conflict, NotFound, StaleLease
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.work import Result
from tests.integration.serving import Serving, moved, serving


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Serving]:
    async with serving(tmp_path) as made:
        yield made


def _result(conclusion: Conclusion, key: str) -> Result:
    failed = conclusion is Conclusion.FAILURE
    return Result(
        key=key,
        conclusion=conclusion,
        duration=1.0,
        failure_class=FailureClass.USER if failed else None,
        reason="broken" if failed else "",
    )


async def test_the_first_result_stays_and_another_is_a_conflict(server: Serving) -> None:
    link, lease = await server.begun()
    success, failure = _result(Conclusion.SUCCESS, "mine"), _result(Conclusion.FAILURE, "another")
    await link.finish(lease, success)
    await link.finish(lease, success)
    with pytest.raises(Conflict) as told:
        await link.finish(lease, failure)
    assert told.value.message
    run = (await server.ask("GET", f"/api/runs/{lease.ref.run}")).json
    assert (run["status"], run["conclusion"]) == ("completed", "success")
    (attempt,) = (await server.ask("GET", f"/api/runs/{lease.ref.run}/attempts")).json["attempts"]
    assert (attempt["conclusion"], attempt["reason"]) == ("success", "")


async def test_only_the_live_lease_ends_an_attempt(server: Serving) -> None:
    link, lease = await server.begun()
    for stale in (moved(lease, epoch=lease.epoch + 1), moved(lease, epoch=0), moved(lease, attempt=2)):
        with pytest.raises(StaleLease):
            await link.finish(stale, _result(Conclusion.FAILURE, "stale"))
    assert (await server.ask("GET", f"/api/runs/{lease.ref.run}")).json["status"] == "in_progress"
    await link.finish(lease, _result(Conclusion.SUCCESS, "mine"))


async def test_a_worker_that_never_said_hello_is_not_known(server: Serving) -> None:
    stranger = HttpServerLink(server.url, server.tokens["worker"], name="stranger")
    server.links.append(stranger)
    with pytest.raises(NotFound):
        await stranger.lease("request-1", 1, 0.1)
