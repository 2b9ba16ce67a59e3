"""What users do: workflows of up to twelve jobs, triggered, cancelled, started again."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pawl.core.model.errors import PawlError, UsageError
from pawl.core.model.events import Event
from pawl.core.model.ids import JobId, RunId
from pawl.engine.control.requests import Trigger
from tests.simulation.history import History
from tests.simulation.network import Handler, Network

CONDITIONS = {
    "always": "always()",
    "failure": "failure()",
    "unless_cancelled": "!cancelled()",
}
POOL = 400
"""How many different workflows there are: few, so that a parsed one is often at hand."""


def draw_workflow(draw: random.Random) -> str:
    """Return the text of a workflow."""
    count = draw.choices((1, 2, 3, 4, 6, 9, 12), (20, 20, 20, 15, 12, 8, 5))[0]
    jobs: dict[str, Any] = {}
    for number in range(count):
        condition = draw.choice(list(CONDITIONS)) if draw.random() < 0.25 else ""
        key = f"j{number}" + (f"_{condition}" if condition else "")
        jobs[key] = _draw_job(draw, list(jobs), condition)
    workflow: dict[str, Any] = {"name": "w", "on": "push", "jobs": jobs}
    if draw.random() < 0.35:
        workflow["concurrency"] = _draw_group(draw, "run")
    return json.dumps(workflow)


def _draw_job(draw: random.Random, before: list[str], condition: str) -> dict[str, Any]:
    job: dict[str, Any] = {"runs-on": "ubuntu-latest", "steps": [{"run": "true"}]}
    if draw.random() < 0.08:
        job["runs-on"] = ["ubuntu-latest", "special"]
    if draw.random() < 0.02:
        job["runs-on"] = "nowhere"
    if before and draw.random() < 0.6:
        job["needs"] = draw.sample(before, min(len(before), draw.choice((1, 1, 2, 3))))
    if condition:
        job["if"] = CONDITIONS[condition]
    if draw.random() < 0.25:
        size = draw.choice((2, 2, 3))
        job["strategy"] = {"matrix": {"n": list(range(size))}, "fail-fast": draw.random() < 0.5}
        if draw.random() < 0.5:
            job["strategy"]["max-parallel"] = draw.choice((1, 1, 2))
    if draw.random() < 0.15:
        job["continue-on-error"] = True
    if draw.random() < 0.15:
        job["retry"] = {
            "max_attempts": draw.choice((2, 3)),
            **({"exit_codes": [7]} if draw.random() < 0.5 else {}),
        }
    if draw.random() < 0.1:
        job["concurrency"] = _draw_group(draw, "job")
    return job


def _draw_group(draw: random.Random, kind: str) -> dict[str, Any]:
    group = f"{kind}-{draw.randint(1, 2)}"
    if draw.random() < 0.2:
        return {"group": f"{group}-all", "queue": "max"}
    return {"group": group, "cancel-in-progress": draw.random() < 0.4}


@dataclass(kw_only=True)
class Users:
    """The people (and machines) that want runs."""

    network: Network
    history: History
    draw: random.Random
    workflow: Callable[[int], str]
    trace: Callable[[str], None]
    runs: int
    until: float
    event: Callable[[Event], Event] = lambda event: event

    async def live(self) -> None:
        """Trigger all runs, each in its time, and do things with them."""
        plans = [
            self._one(number, self.draw.uniform(0, self.until), random.Random(self.draw.getrandbits(48)))  # noqa: S311 - repeatable on purpose
            for number in range(self.runs)
        ]
        await asyncio.gather(*plans)

    async def _one(self, number: int, when: float, draw: random.Random) -> None:
        await asyncio.sleep(when)
        run = await self._trigger(number, draw)
        if run is None:
            return
        for _ in range(draw.choice((0, 0, 1, 2, 3))):
            await asyncio.sleep(draw.choice((0.2, 5.0, 40.0)) * draw.random() * 2)
            (act,) = draw.choices(
                (self._cancel, self._cancel_job, self._rerun, self._look, self._hurry, self._forget),
                (3, 3, 5, 3, 3, 1),
            )
            await act(run, draw)

    async def _ask(self, what: str, handler: Handler[Any], *, tries: int) -> Any:
        for _ in range(tries):
            try:
                return await self.network.call("user", what, handler)
            except UsageError as error:
                self.trace(f"user {what}: refused: {error}")
                return None
            except PawlError:
                await asyncio.sleep(2.0)
        return None

    async def _trigger(self, number: int, draw: random.Random) -> RunId | None:
        request = f"request-{number}"
        wanted = Trigger(
            path=f".github/workflows/w{draw.randint(1, 2)}.yml",
            text=self.workflow(draw.randrange(POOL)),
            event=self.event(
                Event(name="push", ref=draw.choice(("refs/heads/main", "refs/tags/v1")), actor="user")
            ),
            priority=draw.choice((0, 0, 0, 2, -1)),
            request_id=request,
        )
        tries = draw.choice((1, 3, 100))
        record = await self._ask(f"trigger {number}", lambda front: front.runs.trigger(wanted), tries=tries)
        if record is None:
            return None
        self.history.accept(request, record.id)
        if draw.random() < 0.1:
            again = await self._ask(f"trigger {number}", lambda front: front.runs.trigger(wanted), tries=1)
            if again is not None:
                self.history.accept(request, again.id)
        run: RunId = record.id
        return run

    async def _cancel(self, run: RunId, draw: random.Random) -> None:
        at_once = draw.random() < 0.2
        self.history.cancelled_runs.add(run)
        await self._ask(
            f"cancel {run}", lambda front: front.runs.cancel(run, by="user", at_once=at_once), tries=3
        )

    async def _cancel_job(self, run: RunId, draw: random.Random) -> None:
        jobs = await self._ask(f"attempts {run}", lambda front: front.runs.attempts(run), tries=2)
        if jobs:
            job: JobId = draw.choice(jobs).ref.job
            self.history.cancelled_jobs.add((run, job))
            await self._ask(
                f"cancel {run} {job}", lambda front: front.runs.cancel(run, job=job, by="user"), tries=2
            )

    async def _rerun(self, run: RunId, draw: random.Random) -> None:
        for _ in range(20):
            record = await self._ask(f"get {run}", lambda front: front.runs.get(run), tries=2)
            if record is not None and record.conclusion is not None:
                break
            await asyncio.sleep(10.0)
        jobs = await self._ask(f"attempts {run}", lambda front: front.runs.attempts(run), tries=2)
        which = draw.choice(("all", "failed", draw.choice(jobs).ref.job if jobs else "all"))
        self.history.reran.add(run)
        await self._ask(
            f"rerun {run} {which}", lambda front: front.runs.rerun(run, jobs=which, by="user"), tries=2
        )

    async def _forget(self, run: RunId, draw: random.Random) -> None:
        """Remove a worker: it says hello again, and what it has goes on."""
        workers = await self._ask("workers", lambda front: front.workers.all(), tries=1)
        if workers:
            worker = draw.choice(workers).id
            await self._ask(
                f"remove {worker}", lambda front: front.workers.remove(worker, by="user"), tries=1
            )

    async def _look(self, run: RunId, draw: random.Random) -> None:
        """Read events from somewhere on: they must go on without a gap (I20)."""
        after = draw.randrange(4)
        events = await self._ask(f"events {run}", lambda front: front.runs.events(run, after), tries=1)
        numbers = [event.sequence for event in events or ()]
        if numbers != list(range(after + 1, after + 1 + len(numbers))):
            self.history.violated("I20", f"run {run} from {after}: {numbers}")
        await self._ask("queue", lambda front: front.queue.entries(), tries=1)

    async def _hurry(self, run: RunId, draw: random.Random) -> None:
        priority = draw.choice((-5, 5))
        await self._ask(
            f"priority {run}", lambda front: front.queue.set_priority(run, priority, "user"), tries=1
        )
