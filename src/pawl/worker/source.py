"""The repository's files as a job's process has them: of a mirror of this machine's, or packed by the server.

A mirror can do all that a checkout asks for, and costs the host nothing where it has the commit. The pack is
for where the host cannot be reached from here: it holds the run's commit and nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pawl.core.model.clones import Clone
from pawl.core.model.errors import InfrastructureError, PawlError
from pawl.core.planning.storage import plan_from_json
from pawl.core.steps.checkout import Checkout
from pawl.ports.clock import Clock
from pawl.ports.job_host import Wake
from pawl.ports.mirrors import Origin
from pawl.ports.source import SourceState
from pawl.worker.spool import Order, Spool

if TYPE_CHECKING:  # a job without files needs no git
    from pawl.adapters.git.mirror import GitMirrors, MirrorSource

_PAUSE = 0.005
_NOBODY = "x-access-token"
"""Hosts look at the password alone where that is a token; GitHub's own actions/checkout calls itself so."""
_NOT_SHARED = (
    "The credentials are not kept in the workspace: the project does not share its token with jobs"
    " (`pawl project set NAME --share-token`)"
)


class SpooledSource:
    """The files of the run's commit (ports.source)."""

    def __init__(self, spool: Spool, order: Order, clone: Clone | None, clock: Clock, wake: Wake) -> None:
        """Take where files may come from; nothing is fetched before a step wants it.

        Args:
            spool: the attempt's folder; the worker puts packed files there.
            order: what the job is to do.
            clone: what it was told of the forge.
            clock: for waiting.
            wake: tells the worker that something is asked for.
        """
        self._spool = spool
        self._clone = clone
        self._is_packed = order.work.source is not None
        self._event = plan_from_json(order.work.plan).event
        self._clock = clock
        self._wake = wake
        self._mirrors = _mirrors(order) if clone is not None and clone.url else None

    async def aclose(self) -> None:
        """End what still fetches."""
        if self._mirrors is not None:
            await self._mirrors.close()

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
        """Return None: which files an event changed, the server has asked its mirror."""
        return None

    async def copy_to(self, folder: Path, *, subfolder: str = "", wanted: Checkout | None = None) -> int:
        """Fill a folder with the files, fetching what is not on this machine yet.

        Raises:
            InfrastructureError: they could not be had.
            UsageError: something `wanted` cannot be.
        """
        if not self._is_packed and self._clone is None:
            return 0
        mirror = await self._fetched(wanted)
        if mirror is not None:
            return await mirror.copy_to(folder, subfolder=subfolder, wanted=self._allowed(wanted))
        await self._have_pack()
        from pawl.adapters.git.pack import PackedSource  # noqa: PLC0415 - only for jobs that have files

        packed = PackedSource(self._spool.source)
        return await packed.copy_to(folder, subfolder=subfolder, wanted=wanted)

    async def at(self, ref: str) -> MirrorSource | None:
        """Return the same repository at another ref; None where this machine does not fetch it.

        Raises: as `ports.mirrors.Mirrors.fetch`.
        """
        mirror = await self._mirror("")
        return None if mirror is None else await mirror.at(ref)

    def remarks(self, wanted: Checkout) -> tuple[str, ...]:
        """Return what of `wanted` is not to be had here."""
        if self._mirrors is not None:
            return () if self._allowed(wanted) == wanted else (_NOT_SHARED,)
        if not self._is_packed and self._clone is None:
            return ()
        from pawl.adapters.git.pack import remarks_on  # noqa: PLC0415 - as above

        return remarks_on(wanted)

    def _allowed(self, wanted: Checkout | None) -> Checkout | None:
        """Return what the job may have: a credential only that it may hold itself."""
        if wanted is None or not wanted.persist_credentials or wanted.token or self._clone is None:
            return wanted
        may = self._clone.shared or not self._clone.secret
        return wanted if may else replace(wanted, persist_credentials=False)

    async def _fetched(self, wanted: Checkout | None) -> MirrorSource | None:
        """Return a mirror that has the commit; None where the server is to be asked for it.

        Raises:
            PawlError: the host does not give the commit, and more than its files is wanted.
        """
        mirror = await self._mirror(wanted.token if wanted is not None else "")
        if mirror is None:
            return None
        try:
            await mirror.fetch()
        except PawlError:
            from pawl.adapters.git.pack import remarks_on  # noqa: PLC0415 - as above

            if wanted is not None and remarks_on(wanted):
                raise
            return None  # the server's mirror has it: that is how there is a run
        return mirror

    async def _mirror(self, token: str) -> MirrorSource | None:
        clone, event = self._clone, self._event
        if self._mirrors is None or clone is None:
            return None
        from pawl.adapters.git.mirror import MirrorSource  # noqa: PLC0415 - as above

        user = (clone.user or _NOBODY) if token else clone.user
        origin = Origin(name=event.repository, url=clone.url, user=user, secret=token or clone.secret)
        return MirrorSource(self._mirrors, origin, await self.state(), ref=event.ref)

    async def _have_pack(self) -> None:
        """Wait until the packed files are there, and ask for them where they do not come by themselves.

        Raises:
            InfrastructureError: the worker could not get them.
        """
        spool = self._spool
        if not self._is_packed and not spool.source.exists():
            spool.ask_for_source()
            self._wake()
        while not spool.source.exists():
            if spool.source_failed.exists():
                told = spool.source_failed.read_text(encoding="utf-8")
                raise InfrastructureError(f"the repository's files could not be fetched: {told}")
            await self._clock.sleep(_PAUSE)


def _mirrors(order: Order) -> GitMirrors | None:
    """Return the mirrors of this machine; None where it is not to fetch from hosts."""
    if not order.mirrors:
        return None
    from pawl.adapters.git.mirror import Access, GitMirrors  # noqa: PLC0415 - as above

    safe = Access()
    more = ("http",) if order.plain_git else ()
    return GitMirrors(Path(order.mirrors), access=replace(safe, protocols=(*safe.protocols, *more)))
