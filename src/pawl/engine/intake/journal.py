"""The journal: a delivery is verified, stored, acknowledged, and worked on after that (I21, I22)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from pawl.core.model.errors import Conflict, Denied, NotFound, TransientError, UsageError
from pawl.core.model.forge import ForgeKind, Hook, Received
from pawl.core.model.projects import DeliveryRecord, DeliverySource, DeliveryState, Project
from pawl.engine.control import audit
from pawl.engine.intake.accepting import kept_headers, key_of
from pawl.engine.intake.desk import DELIVERIES, PROJECTS, IntakeDesk
from pawl.engine.intake.reading import heads_told
from pawl.engine.intake.scheduling import Schedules
from pawl.engine.intake.working import Working
from pawl.ports.forge import Forge
from pawl.ports.store import Transaction

T = TypeVar("T")

_MOST_LISTED = 500
_LARGE = 256 * 1024
"""Bytes from which on a body is not read in the event loop."""
_KEPT_SECONDS = 1.0
"""For so long a changed or removed project may still be taken for what it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of a webhook request.

    Attributes:
        delivery: its number.
        duplicate: it was stored before, and nothing is done again.
        ignored: why it starts nothing, "" where that is not known yet.
    """

    delivery: int
    duplicate: bool = False
    ignored: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """What one round of work did.

    Attributes:
        deliveries: how many were worked on.
        faults: faults of Pawl's own by delivery; these are tried again, and given up after some tries.
    """

    deliveries: int = 0
    faults: Mapping[int, Exception] = field(default_factory=dict)


class Journal:
    """The deliveries of a server. Any number of servers may share a store."""

    def __init__(self, desk: IntakeDesk) -> None:
        self._desk = desk
        self._working = Working(desk, Schedules(desk))
        self._known: dict[str, Project] = {}
        self._secrets: dict[str, str] = {}
        self._fresh_until = -1.0
        desk.store.subscribe(self._hear)
        # Nobody can sign with this: what is checked against it takes as long as a project's own, and fails.
        self._nobodys = desk.randomness.token(32)

    def _hear(self, topics: frozenset[str]) -> None:
        if PROJECTS in topics:
            self._fresh_until = -1.0

    async def accept(
        self, kind: ForgeKind, received: Received, *, project: str = "", correlation: str = ""
    ) -> Accepted:
        """Verify a webhook request, store it durably, and return what became of it.

        Nothing is written before its signature has been found good. Whether there is such a project is told
        to nobody who cannot sign for it.

        Args:
            kind: how the sender speaks.
            received: the request.
            project: which project it is for; "" to go by what the body names.
            correlation: an id that every log line about it carries.

        Raises:
            Denied: the signature is missing or wrong, or there is no such project.
            UsageError: it cannot be read.
            NotFound: no forge speaks like that.
        """
        desk = self._desk
        forge = desk.forges.get(kind)
        if forge is None:
            raise NotFound(f"there are no webhooks of {kind.value}")
        name = project or await self._aside(received, partial(forge.repository, received))
        known = await self._project(name, kind)
        hook = await self._aside(received, partial(self._read, forge, received, known))
        if known is None:  # its signature was good for a secret that nobody has
            raise _refused()
        found = known[0]
        if hook.repository and hook.repository != found.name:
            raise UsageError(f"the request is about another repository than {found.name}")
        ignored = hook.ignored if found.active else f"project {found.name} is not active"
        return await self._store(found, hook, received, ignored, correlation or desk.randomness.token(8))

    async def claim(self, limit: int) -> tuple[DeliveryRecord, ...]:
        """Return deliveries whose time has come, each project's first, to be handed to `work_on` soon.

        Raises:
            Unavailable: the store cannot answer.
        """
        now, hold = self._desk.clock.now(), self._desk.rules.hold
        return await self._desk.write(lambda tx: tx.deliveries.claim(now, now + hold, limit))

    async def work_on(self, delivery: DeliveryRecord) -> Exception | None:
        """Work on a delivery that was claimed; return a fault of Pawl's own that came of it.

        It is safe to be killed at any moment: whoever claims it next goes on, and no run is made twice.

        Raises:
            Unavailable: the store cannot answer.
        """
        return await self._working.on(delivery)

    async def work(self) -> Worked:
        """Claim deliveries and work on them; return what was done, once the last of them has ended.

        Raises:
            Unavailable: the store cannot answer.
        """
        claimed = await self.claim(self._desk.rules.at_once)
        ended = await asyncio.gather(*map(self.work_on, claimed), return_exceptions=True)
        for each in ended:
            if isinstance(each, TransientError) or not isinstance(each, Exception | None):
                raise each
        broken = {
            each.id: fault for each, fault in zip(claimed, ended, strict=True) if isinstance(fault, Exception)
        }
        return Worked(deliveries=len(claimed), faults=broken)

    async def recent(
        self, project: str | None = None, *, before: int | None = None, limit: int = 50
    ) -> tuple[DeliveryRecord, ...]:
        """Return the newest deliveries without their bodies, newest first; at most 500."""
        most = max(0, min(limit, _MOST_LISTED))
        return await self._desk.read(lambda tx: tx.deliveries.recent(project, before=before, limit=most))

    async def counts(self) -> dict[str, int]:
        """Return how many deliveries are in which state."""
        return await self._desk.read(lambda tx: tx.deliveries.counts())

    async def get(self, number: int) -> DeliveryRecord:
        """Return a delivery with its body, as long as that is kept.

        Raises:
            NotFound: there is none.
        """
        found = await self._desk.read(lambda tx: tx.deliveries.get(number))
        if found is None:
            raise _unknown(number)
        return found

    async def replay(self, number: int, *, by: str) -> DeliveryRecord:
        """Make a new delivery of an old one's body, as if it had come again, and return it.

        Raises:
            NotFound: there is no such delivery.
            Conflict: its body is not kept any more.
        """
        now, token = self._desk.clock.now(), self._desk.randomness.token(4)

        def work(tx: Transaction) -> DeliveryRecord:
            old = tx.deliveries.get(number)
            if old is None:
                raise _unknown(number)
            if not old.body_kept:
                raise Conflict(
                    f"the body of delivery {number} is not kept any more", hint="have the forge send it again"
                )
            anew = DeliveryRecord(
                project=old.project,
                key=f"replay:{number}:{token}",
                source=old.source,
                name=old.name,
                received_at=now,
                correlation=old.correlation,
                headers=old.headers,
                body=old.body,
                replay_of=number,
            )
            stored = tx.deliveries.add(anew) or anew
            audit.note(tx, now, by=by, action="delivery.replay", target=f"delivery {number}")
            tx.notify(DELIVERIES)
            return stored

        return await self._desk.write(work)

    async def _aside(self, received: Received, work: partial[T]) -> T:
        """Return what `work` returns; of a large body it is not waited for in the event loop."""
        return await self._desk.offload(work) if len(received.body) > _LARGE else work()

    def _read(self, forge: Forge, received: Received, known: tuple[Project, str] | None) -> Hook:
        secret = known[1] if known is not None else self._nobodys
        try:
            forge.verify(received, secret or self._nobodys, self._desk.clock.now())
        except Denied:
            raise _refused() from None
        if known is None:
            raise _refused()
        return forge.read(received)

    async def _project(self, name: str, kind: ForgeKind) -> tuple[Project, str] | None:
        """Return a project and the secret of its webhook; None when there is none that speaks like that.

        All projects are read at once, for a second or until one changes: so no answer takes longer or
        shorter because a project is known.
        """
        now = self._desk.clock.monotonic()
        if now >= self._fresh_until:
            found = await self._desk.read(lambda tx: tx.projects.all())
            self._known = {each.name: each for each in found}
            self._secrets = {sealed: self._secrets.get(sealed, "") for sealed in map(_sealed_hook, found)}
            self._fresh_until = now + _KEPT_SECONDS
        project = self._known.get(name)
        if project is None or project.forge is not kind:
            return None
        sealed = _sealed_hook(project)
        if not self._secrets.get(sealed):
            self._secrets[sealed] = self._desk.secret(project, "hook")
        return project, self._secrets[sealed]

    async def _store(
        self, project: Project, hook: Hook, received: Received, ignored: str, correlation: str
    ) -> Accepted:
        now = self._desk.clock.now()
        new = DeliveryRecord(
            project=project.name,
            key=key_of(hook.delivery, received),
            source=DeliverySource.WEBHOOK,
            name=hook.name,
            received_at=now,
            correlation=correlation,
            headers=kept_headers(received.headers),
            body=received.body,
        )
        if ignored:
            new = replace(new, state=DeliveryState.DONE, done_at=now, reason=ignored)

        def work(tx: Transaction) -> Accepted:
            stored = tx.deliveries.add(new)
            if stored is None:
                return _again(tx, new)
            for head in heads_told(hook.events, project.name, stored.id, now):
                tx.heads.tell(head)
            if not ignored:
                tx.notify(DELIVERIES)
            return Accepted(delivery=stored.id, ignored=ignored)

        return await self._desk.write(work)


def _again(tx: Transaction, new: DeliveryRecord) -> Accepted:
    """Answer to a key that was there before: one that was given up is worked on again."""
    found = tx.deliveries.find(new.project, new.key)
    before = tx.deliveries.get(found.id, lock=True) if found is not None else None
    if before is None:
        raise Conflict(f"the delivery {new.key} is being removed", hint="send it again")
    if before.state is not DeliveryState.FAILED:
        return Accepted(delivery=before.id, duplicate=True, ignored=before.reason)
    if not before.body_kept:
        # There is nothing left of it to work on: what came now stands in for it.
        instead = replace(new, key=f"again:{before.id}")
        stored = tx.deliveries.add(instead)
        if stored is None:
            return _again(tx, instead)
        tx.notify(DELIVERIES)
        return Accepted(delivery=stored.id)
    tx.deliveries.save(
        replace(
            before,
            state=DeliveryState.STORED,
            received_at=new.received_at,
            tries=0,
            next_at=0.0,
            done_at=None,
            reason="",
        )
    )
    tx.notify(DELIVERIES)
    return Accepted(delivery=before.id)


def _sealed_hook(project: Project) -> str:
    return project.secrets.get("hook", "")


def _refused() -> Denied:
    return Denied(
        "the request is not signed with the secret of a project",
        hint="`pawl project add` shows the secret once; `pawl project set` sets another",
    )


def _unknown(number: int) -> NotFound:
    return NotFound(f"there is no delivery {number}", hint="`pawl deliveries` lists them")
