"""The poll: heads at the forge are compared with what was told, and lost webhooks are made up for."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pawl.core.model.errors import PawlError
from pawl.core.model.plan import Json
from pawl.core.model.projects import DeliveryRecord, DeliverySource, HeadRecord, Project
from pawl.engine.intake.desk import DELIVERIES, IntakeDesk
from pawl.engine.intake.reading import poll_body
from pawl.ports.store import Transaction

_WATCHED = ("refs/heads/", "refs/tags/")
_PEELED = "^{}"
_ZEROS = "0" * 40
_CLOCK_SET_BACK = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What one poll did: projects looked at, deliveries made, and what went wrong, by project."""

    projects: int = 0
    deliveries: int = 0
    faults: Mapping[str, PawlError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memory:
    """What the poll keeps of a project.

    Attributes:
        next_at: when to look again.
        known: whether it has looked at all: what is there at the first look is nothing new.
        suspects: commits by ref that nobody told, and since when they have been seen.
    """

    next_at: float = 0.0
    known: bool = False
    suspects: Mapping[str, tuple[str, float]] = field(default_factory=dict)


class Poll:
    """Looks at the heads of projects from time to time."""

    def __init__(self, desk: IntakeDesk) -> None:
        self._desk = desk

    async def poll(self) -> Polled:
        """Look at the projects whose time has come; several servers share them.

        Raises:
            Unavailable: the store cannot answer.
        """
        desk, now = self._desk, self._desk.clock.now()
        if not await desk.read(lambda tx: any(self._due(tx, now))):
            return Polled()
        due = await desk.write(lambda tx: tuple(self._due(tx, now, claim=True)))
        made, faults = 0, dict[str, PawlError]()
        for project in due:
            try:
                heads = await desk.mirrors.heads(await desk.origin(project))
            except PawlError as error:
                faults[project.name] = error
                continue
            made += await desk.write(
                lambda tx, project=project, heads=heads: self._compare(tx, project, heads)  # type: ignore[misc]  # defaults bind the loop's values
            )
        return Polled(projects=len(due), deliveries=made, faults=faults)

    def _due(self, tx: Transaction, now: float, *, claim: bool = False) -> Iterator[Project]:
        for project in tx.projects.all():
            if not project.active or not project.poll_seconds:
                continue
            memory = _memory(tx, project)
            if now < memory.next_at <= now + project.poll_seconds + _CLOCK_SET_BACK:
                continue
            if claim:
                _remember(tx, project, memory, now + project.poll_seconds, now)
            yield project

    def _compare(self, tx: Transaction, project: Project, heads: Mapping[str, str]) -> int:
        """Make deliveries of what nobody told, and return how many."""
        now, grace = self._desk.clock.now(), self._desk.rules.poll_grace
        memory = _memory(tx, project)
        told: dict[str, list[HeadRecord]] = defaultdict(list)
        for head in tx.heads.of_project(project.name):
            told[head.ref].append(head)
        suspects: dict[str, tuple[str, float]] = {}
        made = 0
        for ref, sha in heads.items():
            if not ref.startswith(_WATCHED) or ref.endswith(_PEELED):
                continue
            # Of an annotated tag some forges tell the tag, some the commit.
            names = {sha, heads.get(ref + _PEELED, sha)}
            known = told.get(ref, [])
            if names & {head.sha for head in known}:
                if known[0].sha not in names:
                    tx.heads.tell(HeadRecord(project=project.name, ref=ref, sha=sha, told_at=now))
                continue
            if not memory.known:
                tx.heads.tell(HeadRecord(project=project.name, ref=ref, sha=sha, told_at=now))
                continue
            seen = memory.suspects.get(ref, ("", now))
            since = seen[1] if seen[0] == sha else now
            if since > now - grace:
                # Its webhook may be on its way.
                suspects[ref] = (sha, since)
                continue
            made += self._deliver(tx, project, ref, known[0].sha if known else _ZEROS, sha)
        for ref in told.keys() - heads.keys():
            if ref.startswith(_WATCHED):
                tx.heads.forget(project.name, ref, before=now - grace)
        wait = min(project.poll_seconds, grace) if suspects else project.poll_seconds
        _remember(tx, project, _Memory(known=True, suspects=suspects), now + wait, now)
        if made:
            tx.notify(DELIVERIES)
        return made

    def _deliver(self, tx: Transaction, project: Project, ref: str, before: str, sha: str) -> int:
        now = self._desk.clock.now()
        digest = hashlib.sha256(f"{ref}\n{before}\n{sha}\n{now}".encode("utf-8", "replace")).hexdigest()[:32]
        stored = tx.deliveries.add(
            DeliveryRecord(
                project=project.name,
                key=f"poll:{digest}",
                source=DeliverySource.POLL,
                name="push",
                received_at=now,
                correlation=digest[:16],
                body=poll_body(ref, before, sha),
            )
        )
        if stored is None:
            return 0
        tx.heads.tell(HeadRecord(project=project.name, ref=ref, sha=sha, told_at=now, delivery=stored.id))
        return 1


def _memory(tx: Transaction, project: Project) -> _Memory:
    stored = tx.keys.get(f"poll:{project.name}")
    if not isinstance(stored, dict):
        return _Memory()
    next_at, suspects = stored.get("next_at"), stored.get("suspects")
    seen: dict[str, tuple[str, float]] = {}
    for ref, value in suspects.items() if isinstance(suspects, dict) else ():
        match value:
            case [str(sha), int() | float() as since]:
                seen[ref] = (sha, float(since))
    return _Memory(
        next_at=float(next_at) if isinstance(next_at, int | float) else 0.0,
        known=stored.get("known") is True,
        suspects=seen,
    )


def _remember(tx: Transaction, project: Project, memory: _Memory, next_at: float, now: float) -> None:
    suspects: dict[str, Json] = {ref: [sha, since] for ref, (sha, since) in memory.suspects.items()}
    value: Json = {"next_at": next_at, "known": memory.known, "suspects": suspects}
    tx.keys.put(f"poll:{project.name}", value, time=now, lasting=True)
