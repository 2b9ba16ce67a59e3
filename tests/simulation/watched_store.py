"""The real store, with faults before and after each commit, and an oracle that sees what each commit made."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pawl.core.model.errors import PawlError, Unavailable
from pawl.core.model.ids import RunId
from pawl.ports.clock import Clock
from pawl.ports.store import Store, Transaction
from tests.simulation.draws import Faults
from tests.simulation.oracle import Oracle

T = TypeVar("T")

# Which run a call changes, by table and method.
_TOUCHES: dict[tuple[str, str], Callable[[tuple[Any, ...], Any], list[RunId]]] = {
    ("runs", "add"): lambda arguments, result: [result.id],
    ("runs", "save"): lambda arguments, result: [arguments[0].id],
    ("runs", "delete"): lambda arguments, result: [arguments[0]],
    ("attempts", "add"): lambda arguments, result: [arguments[0].ref.run],
    ("attempts", "save"): lambda arguments, result: [arguments[0].ref.run],
    ("attempts", "lease"): lambda arguments, result: [each.ref.run for each in result],
    ("groups", "put"): lambda arguments, result: [arguments[0].run],
    ("groups", "remove"): lambda arguments, result: [arguments[1]],
    ("events", "append"): lambda arguments, result: [arguments[0]],
    ("logs", "put"): lambda arguments, result: [arguments[0].attempt.run],
    ("artifacts", "put"): lambda arguments, result: [arguments[0].run],
}


class _Table:
    """A table that notes which runs are changed through it."""

    def __init__(self, name: str, table: Any, touched: dict[RunId, None]) -> None:
        self._name = name
        self._table = table
        self._touched = touched

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._table, method)
        touches = _TOUCHES.get((self._name, method))
        if touches is None:
            return call

        def noting(*arguments: Any, **options: Any) -> Any:
            result = call(*arguments, **options)
            self._touched.update(dict.fromkeys(touches(arguments, result)))
            return result

        return noting


_WATCHED = frozenset(table for table, _ in _TOUCHES)


class _Watched:
    """A transaction whose tables note which runs it changes."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.touched: dict[RunId, None] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._transaction, name)
        if name in _WATCHED:
            found = _Table(name, found, self.touched)
            setattr(self, name, found)
        return found


class _Again(Exception):  # noqa: N818 - a signal
    """The database asks for the work to be run again."""


class WatchedStore:
    """A server's store. One for each incarnation: that of a dead server does nothing more."""

    def __init__(
        self,
        store: Store,
        pause: Callable[[str], Awaitable[None]],
        faults: Faults,
        draw: random.Random,
        oracle: Oracle,
        clock: Clock,
    ) -> None:
        self._store = store
        self._pause = pause
        self._faults = faults
        self._draw = draw
        self._oracle = oracle
        self._clock = clock

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, and have the oracle look at what it made of the runs it changed."""
        await self._pause("before a commit")
        if self._hits(self._faults.full):
            raise Unavailable("the disk is full", full=True)
        if self._hits(self._faults.again):
            await self._try_in_vain(work)

        def watched(transaction: Transaction) -> tuple[T, Any]:
            watch: Any = _Watched(transaction)
            result = work(watch)
            return result, self._oracle.look(transaction, watch.touched)

        result, seen = await self._store.write(watched)
        self._oracle.committed(seen, self._clock.now(), self._clock.monotonic())
        if self._hits(self._faults.unknown):
            raise Unavailable("the connection was lost at the commit")
        await self._pause("after a commit")
        return result

    async def _try_in_vain(self, work: Callable[[Transaction], T]) -> None:
        def undone(transaction: Transaction) -> None:
            work(transaction)
            raise _Again

        try:
            await self._store.write(undone)
        except (_Again, PawlError):
            return

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`."""
        await self._pause("before a read")
        result = await self._store.read(work)
        await self._pause("after a read")
        return result

    def subscribe(self, listener: Callable[[frozenset[str]], None]) -> Callable[[], None]:
        """Pass on."""
        return self._store.subscribe(listener)

    async def check(self) -> None:
        """Pass on."""
        await self._store.check()

    async def aclose(self) -> None:
        """Do nothing: the database outlives this server."""

    def _hits(self, likelihood: float) -> bool:
        return bool(likelihood) and self._draw.random() < likelihood
