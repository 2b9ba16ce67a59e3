"""A worker's request for work that waits at the server."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.integration.serving import serving, until


async def test_a_worker_that_went_away_while_it_waited_gets_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        gone, there = await server.worker("gone"), await server.worker("there")
        waiting = asyncio.ensure_future(gone.lease("r1", 1, 20))
        await until(lambda: server.services.waking.listening["queue"])
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await gone.aclose()
        run = await server.trigger()
        (work,) = await there.lease("r2", 1, 10)
        assert (work.lease.ref.run, work.lease.epoch) == (run, 1)
