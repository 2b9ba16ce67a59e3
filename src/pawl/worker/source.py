"""The repository's files as a job's process has them: packed in its folder, once the worker fetched them."""

from __future__ import annotations

from pathlib import Path

from pawl.core.model.errors import InfrastructureError
from pawl.core.planning.storage import plan_from_json
from pawl.core.steps.checkout import Checkout
from pawl.ports.clock import Clock
from pawl.ports.source import SourceState
from pawl.worker.spool import Order, Spool

_PAUSE = 0.005


class SpooledSource:
    """The files of the run's commit (ports.source)."""

    def __init__(self, spool: Spool, order: Order, clock: Clock) -> None:
        """Read `spool.source` when files are first wanted."""
        self._spool = spool
        self._has_files = order.work.source is not None
        self._event = plan_from_json(order.work.plan).event
        self._clock = clock

    async def state(self) -> SourceState:
        """Return what the run's event says."""
        event = self._event
        return SourceState(
            sha=event.sha,
            branch=event.branch,
            tag=event.tag,
            dirty=False,
            repository=event.repository,
            default_branch=event.default_branch,
        )

    async def changed_files(self, base: str | None) -> tuple[str, ...] | None:  # noqa: ARG002 - the port's
        """Return None: there is no history."""
        return None

    async def copy_to(self, folder: Path, *, subfolder: str = "", wanted: Checkout | None = None) -> int:
        """Fill a folder with the files, waiting for them to be there.

        Raises:
            InfrastructureError: the worker could not get them, or they cannot be unpacked.
        """
        if not self._has_files:
            return 0
        while not self._spool.source.exists():
            if self._spool.source_failed.exists():
                told = self._spool.source_failed.read_text(encoding="utf-8")
                raise InfrastructureError(f"the repository's files could not be fetched: {told}")
            await self._clock.sleep(_PAUSE)
        from pawl.adapters.git.pack import PackedSource  # noqa: PLC0415 - only for jobs that have files

        packed = PackedSource(self._spool.source)
        return await packed.copy_to(folder, subfolder=subfolder, wanted=wanted)

    async def at(self, ref: str) -> None:
        """Return None: the run has the files of its commit only."""

    def remarks(self, wanted: Checkout) -> tuple[str, ...]:
        """Return what cannot be had from the files that were packed for the run."""
        from pawl.adapters.git.pack import remarks_on  # noqa: PLC0415 - as above

        return remarks_on(wanted) if self._has_files else ()
