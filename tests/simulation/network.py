"""Messages that get lost, come twice, come late, or not while there is a partition."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from pawl.core.model.errors import PawlError, Unavailable
from tests.simulation.draws import Faults

T = TypeVar("T")
Handler = Callable[[Any], Awaitable[T]]
"""What the server does with a message: it is given the server's `Control`."""

PATIENCE = 10.0
"""Seconds that a caller waits for an answer."""


class Receiver(Protocol):
    """The server's end."""

    async def handle(self, what: str, handler: Handler[T]) -> T:
        """Do what a message asks."""


class Network:
    """All links to the server."""

    def __init__(
        self, receiver: Receiver, faults: Faults, draw: random.Random, trace: Callable[[str], None]
    ) -> None:
        self._receiver = receiver
        self._faults = faults
        self._draw = draw
        self._trace = trace
        # Not a set: gone through in the order they were made, the same each time.
        self._tasks: dict[asyncio.Task[None], None] = {}
        self.cut: set[str] = set()
        self.cut_back: set[str] = set()

    async def call(self, who: str, what: str, handler: Handler[T], *, patience: float = PATIENCE) -> T:
        """Send a message from `who` and return the answer.

        Raises:
            PawlError: what the server raised.
            Unavailable: no answer came in time; whether it was done is not known.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        copies = 2 if self._draw.random() < self._faults.duplicate else 1
        for _ in range(copies):
            self._start(self._carry(who, what, handler, answer))
        giving_up = loop.call_later(patience, _give_up, answer, what)
        try:
            return await answer
        finally:
            giving_up.cancel()

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def _carry(self, who: str, what: str, handler: Handler[T], answer: asyncio.Future[T]) -> None:
        await asyncio.sleep(self._delay())
        if who in self.cut or self._draw.random() < self._faults.drop_request:
            self._trace(f"{who} {what}: request lost")
            return
        result, error = None, None
        try:
            result = await self._receiver.handle(f"{who} {what}", handler)
        except PawlError as raised:
            error = raised
        await asyncio.sleep(self._delay())
        if who in self.cut_back or self._draw.random() < self._faults.drop_reply:
            self._trace(f"{who} {what}: reply lost")
            return
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type] - None only where the handler returns that

    def _delay(self) -> float:
        if self._draw.random() < self._faults.late:
            return self._draw.choice((2.0, 8.0, 25.0, 60.0)) * self._draw.random()
        return self._draw.uniform(0.001, 0.05)

    async def aclose(self) -> None:
        """Drop what is on its way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _give_up(answer: asyncio.Future[Any], what: str) -> None:
    if not answer.done():
        answer.set_exception(Unavailable(f"no answer to {what}"))
