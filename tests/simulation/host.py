"""A machine with a worker: its jobs' processes and its spool outlive the worker, not the machine."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from pawl.core.model import run_events
from pawl.core.model.ids import Epoch, StepId
from pawl.core.model.line_index import line_records
from pawl.core.model.plan import Json
from pawl.core.model.records import AttemptRef
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.work import Lease, LogEnd, Result
from pawl.ports.log_bytes import LogName, Part
from tests.simulation.draws import stream
from tests.simulation.history import History, Process, digest

FORGED = "forged"
"""The reason of an event that is not a worker's to tell."""

PARTS: tuple[Part, Part] = ("data", "index")


@dataclass(kw_only=True)
class Spool:
    """The folder of one leased attempt.

    Attributes:
        deadline: when its lease ends, by the host's monotonic clock.
        begun: whether the server knows that it begins; the process starts once.
        sent: how many bytes and events the server has, as far as the worker knows.
    """

    lease: Lease
    deadline: float
    begun: bool = False
    process: asyncio.Task[None] | None = None
    logs: dict[tuple[int, Part], bytearray] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    result: Result | None = None
    cancel: bool = False
    artifact: tuple[str, bytes] | None = None
    sent: dict[tuple[int, Part], int] = field(default_factory=dict)
    told: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def key(self) -> tuple[AttemptRef, Epoch]:
        """Return what names it."""
        return self.lease.ref, self.lease.epoch


@dataclass(frozen=True, kw_only=True)
class Script:
    """What a job will do: drawn from its name, so that it does not depend on who runs it when."""

    steps: tuple[tuple[float, ...], ...]
    conclusion: Conclusion
    failure_class: FailureClass | None
    exit_code: int | None
    artifact: str | None
    note: str
    deaf: bool
    forges: bool
    large: bool


def draw_fate(seed: int, ref: AttemptRef) -> str:
    """Return whether a job is `lost` whoever takes it, `doomed` to fail on any machine, or "" for neither."""
    return stream(seed, f"fate:{ref.run}:{ref.job}").choices(("lost", "doomed", ""), (2, 4, 94))[0]


def draw_script(seed: int, ref: AttemptRef, epoch: Epoch) -> Script:
    """Return what an attempt does."""
    draw = stream(seed, f"job:{ref.run}:{ref.job}:{ref.attempt}:{epoch}")
    slow = draw.random() < 0.15
    pauses = [
        tuple(draw.uniform(0.1, 20 if slow else 4) for _ in range(draw.randint(1, 3)))
        for _ in range(draw.randint(1, 2))
    ]
    kind = draw.choices(("good", "bad", "late", "world"), (75, 15, 3, 7))[0]
    kind = "world" if draw_fate(seed, ref) == "doomed" else kind
    how = {
        "good": (Conclusion.SUCCESS, None, None),
        "bad": (Conclusion.FAILURE, FailureClass.USER, draw.choice((1, 2, 7))),
        "late": (Conclusion.TIMED_OUT, FailureClass.USER, None),
        "world": (Conclusion.FAILURE, FailureClass.INFRASTRUCTURE, None),
    }[kind]
    return Script(
        steps=tuple(pauses),
        conclusion=how[0],
        failure_class=how[1],
        exit_code=how[2],
        artifact=f"artifact-{draw.randint(1, 2)}" if draw.random() < 0.2 else None,
        note="the disk was full" if draw.random() < 0.05 else "",
        deaf=draw.random() < 0.1,
        forges=draw.random() < 0.05,
        large=draw.random() < 0.03,
    )


def is_forged(event: Json) -> bool:
    """Return whether a worker must not tell an event."""
    return isinstance(event, dict) and event.get("reason") == FORGED


class Host:
    """The machine itself. What is here survives a `kill -9` of its worker; `reboot` loses it."""

    def __init__(
        self, name: str, seed: int, history: History, *, labels: tuple[str, ...], slots: int
    ) -> None:
        self.name = name
        self.seed = seed
        self.history = history
        self.labels = labels
        self.slots = slots
        self.spools: dict[tuple[AttemptRef, Epoch], Spool] = {}
        self._draw: random.Random = stream(seed, f"host:{name}")

    def start(self, spool: Spool) -> None:
        """Start an attempt's user code, once."""
        record = Process(
            ref=spool.lease.ref,
            epoch=spool.lease.epoch,
            host=self.name,
            started=asyncio.get_running_loop().time(),
        )
        self.history.started(record)
        spool.process = asyncio.ensure_future(self._run(spool, record))

    def stop(self, spool: Spool) -> None:
        """Kill an attempt's processes and forget its folder."""
        if spool.process is not None:
            spool.process.cancel()
        self.spools.pop(spool.key, None)
        spool.news.set()

    def reboot(self) -> None:
        """Lose everything."""
        for spool in list(self.spools.values()):
            self.stop(spool)

    async def _run(self, spool: Spool, record: Process) -> None:
        loop = asyncio.get_running_loop()
        script = draw_script(self.seed, *spool.key)
        try:
            await self._steps(spool, script)
        finally:
            record.ended = loop.time()
        stopped = spool.cancel and not script.deaf
        conclusion = Conclusion.CANCELLED if stopped else script.conclusion
        spool.result = Result(
            key=f"{self.name}-{self._draw.getrandbits(48):x}",
            conclusion=conclusion,
            duration=record.ended - record.started,
            outputs=self._outputs(spool, script) if conclusion is Conclusion.SUCCESS else {},
            failure_class=None if stopped else script.failure_class,
            exit_code=None if stopped else script.exit_code,
            reason="" if conclusion is Conclusion.SUCCESS else f"ended as {conclusion}",
            logs=tuple(self._ends(spool)),
        )
        spool.news.set()

    def _outputs(self, spool: Spool, script: Script) -> dict[str, str]:
        return {"value": str(spool.lease.ref), **({"more": "x" * 1000} if script.large else {})}

    async def _steps(self, spool: Spool, script: Script) -> None:
        job = spool.lease.ref.job
        self._say(
            spool,
            run_events.JobStarted(
                time=self._now(),
                job=job,
                attempt=spool.lease.ref.attempt,
                image=None,
                steps=tuple(f"step {index}" for index in range(len(script.steps))),
            ),
        )
        for index, pauses in enumerate(script.steps):
            if spool.cancel and not script.deaf:
                return
            step, name = StepId(f"step{index}"), f"step {index}"
            self._say(
                spool, run_events.StepStarted(time=self._now(), job=job, index=index, step=step, name=name)
            )
            self._open_log(spool, index)
            for number, pause in enumerate(pauses):
                await asyncio.sleep(pause)
                self._write(spool, index, number)
                if spool.cancel and not script.deaf:
                    break
            if script.note:
                spool.notes[index] = script.note
            finished = run_events.StepFinished(
                time=self._now(),
                job=job,
                index=index,
                step=step,
                name=name,
                outcome=Conclusion.SUCCESS,
                conclusion=Conclusion.SUCCESS,
                duration=sum(pauses),
            )
            self._say(spool, finished)
        if script.forges:
            # No worker may say that its job has ended: that is the server's to say.
            end = run_events.JobFinished(
                time=0.0, job=job, conclusion=Conclusion.TIMED_OUT, duration=0.0, reason=FORGED
            )
            self._say(spool, end)
        if script.artifact is not None:
            spool.artifact = (script.artifact, f"{spool.lease.ref}".encode() * 3)

    def _say(self, spool: Spool, event: run_events.RunEvent) -> None:
        spool.events.append(run_events.to_json(event))
        spool.news.set()

    def _open_log(self, spool: Spool, index: int) -> None:
        for part in PARTS:
            data = spool.logs[index, part] = bytearray()
            name = LogName(attempt=spool.lease.ref, index=index)
            self.history.written[name, part] = (spool.lease.epoch, data)

    def _write(self, spool: Spool, index: int, number: int) -> None:
        """Write a line or two; the text names who wrote it, so that a foreign one is seen."""
        text = f"{spool.lease.ref} epoch {spool.lease.epoch} step {index} line {number}\n" * (1 + number % 2)
        data = spool.logs[index, "data"]
        spool.logs[index, "index"] += line_records(
            text.encode(), offset=len(data), stream="out", time=self._now(), continued=False
        )
        data += text.encode()
        spool.news.set()

    def _ends(self, spool: Spool) -> list[LogEnd]:
        return [
            LogEnd(
                index=index,
                name=f"step {index}",
                size=len(data),
                lines=len(spool.logs[index, "index"]) // 16,
                sha256=digest(bytes(data)),
                dropped=17 if index in spool.notes else 0,
                note=spool.notes.get(index, ""),
            )
            for (index, part), data in sorted(spool.logs.items())
            if part == "data"
        ]

    def _now(self) -> float:
        return 1_600_000_000.0 + asyncio.get_running_loop().time()
