"""Destinations: where notices go, and who may hear what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from pawl.core.model.errors import Conflict, NotFound, UsageError
from pawl.core.model.reporting import DestinationKind, DestinationRecord, NoticeRecord, Told, Topic
from pawl.engine.control import audit
from pawl.engine.reporting import bodies
from pawl.engine.reporting.desk import ReportingDesk, destination_scope
from pawl.engine.reporting.reporter import NOTICES
from pawl.ports.store import Transaction

TOPICS = tuple(topic for topic in Topic if topic is not Topic.PING)
MOST_DESTINATIONS = 100
"""Of a server: each run is told to each that wants it, in the run's own transaction."""
MOST_ADDRESSES = 20

_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
)
_SHORTEST_SECRET, _LONGEST_SECRET = 16, 1000
_LONGEST_URL = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDestination:
    """A destination to be made.

    Attributes:
        project: "" for the runs of all projects.
        target: a URL, or addresses with commas between them.
        topics: none for what is usual: the ends of runs.
        secret: what a webhook is signed with; made up when "".
    """

    project: str
    kind: DestinationKind
    target: str
    topics: Sequence[Topic] = ()
    told: Told = Told.ALWAYS
    secret: str = ""


class Destinations:
    """The destinations of a server."""

    def __init__(self, desk: ReportingDesk) -> None:
        self._desk = desk

    async def create(self, wanted: NewDestination, *, by: str) -> tuple[DestinationRecord, str]:
        """Store a destination; return it and what its webhooks are signed with, which is shown nowhere else.

        Raises:
            UsageError: it is none that can be told.
            NotFound: there is no such project.
            Conflict: there are too many.
        """
        target = _checked(wanted)
        is_hook = wanted.kind is DestinationKind.WEBHOOK
        secret = (wanted.secret or self._desk.randomness.token(32)) if is_hook else ""
        scope = destination_scope(wanted.project, target)
        now = self._desk.clock.now()
        new = DestinationRecord(
            project=wanted.project,
            kind=wanted.kind,
            target=target,
            topics=tuple(dict.fromkeys(wanted.topics)) or (Topic.RUN_COMPLETED,),
            told=wanted.told,
            secret=self._desk.sealing.seal(secret, scope) if secret else "",
            created_at=now,
        )

        def work(tx: Transaction) -> DestinationRecord:
            if new.project and tx.projects.get(new.project) is None:
                raise NotFound(
                    f"there is no project `{new.project[:80]}`", hint="`pawl project list` shows them"
                )
            if len(tx.destinations.all()) >= MOST_DESTINATIONS:
                raise Conflict(f"there are {MOST_DESTINATIONS} destinations", hint="remove some of them")
            made = tx.destinations.add(new)
            audit.note(tx, now, by=by, action="destination.create", target=f"destination {made.id}")
            return made

        return await self._desk.write(work), secret

    async def all(self, project: str | None = None) -> tuple[DestinationRecord, ...]:
        """Return all destinations, or those that hear of a project's runs."""
        if project is None:
            return await self._desk.read(lambda tx: tx.destinations.all())
        return await self._desk.read(lambda tx: tx.destinations.of_project(project))

    async def remove(self, number: int, *, by: str) -> None:
        """Remove a destination with its notices.

        Raises:
            NotFound: there is none.
        """
        now = self._desk.clock.now()

        def work(tx: Transaction) -> None:
            _found(tx, number)
            tx.destinations.remove(number)
            audit.note(tx, now, by=by, action="destination.remove", target=f"destination {number}")

        await self._desk.write(work)

    async def enable(self, number: int, *, by: str) -> DestinationRecord:
        """Switch a destination on again, and return it.

        Raises:
            NotFound: there is none.
        """
        now = self._desk.clock.now()

        def work(tx: Transaction) -> DestinationRecord:
            enabled = replace(_found(tx, number), active=True, reason="", failing_since=None)
            tx.destinations.save(enabled)
            audit.note(tx, now, by=by, action="destination.enable", target=f"destination {number}")
            return enabled

        return await self._desk.write(work)

    async def ping(self, number: int, *, by: str) -> NoticeRecord:
        """Have a notice sent that says that nothing happened, and return it: its replies tell the rest.

        Raises:
            NotFound: there is no such destination.
            Conflict: it is switched off.
        """
        now, token = self._desk.clock.now(), self._desk.randomness.token(8)

        def work(tx: Transaction) -> NoticeRecord:
            destination = _found(tx, number)
            if not destination.active:
                raise Conflict(
                    f"destination {number} is switched off: {destination.reason}",
                    hint="`pawl notify enable` switches it on",
                )
            body = bodies.written(bodies.ping_body(now, by), f"ping.{token}")
            made = tx.notices.add(
                NoticeRecord(destination=number, topic=Topic.PING, body=body, created_at=now)
            )
            tx.notify(NOTICES)
            return made

        return await self._desk.write(work)


def _found(tx: Transaction, number: int) -> DestinationRecord:
    found = tx.destinations.get(number, lock=True)
    if found is None:
        raise NotFound(f"there is no destination {number}", hint="`pawl notify list` shows them")
    return found


def _checked(wanted: NewDestination) -> str:
    """Return the target as it is stored.

    Raises:
        UsageError: something about it cannot be.
    """
    if Topic.PING in wanted.topics:
        raise UsageError("`ping` is nothing to be told of", hint=f"there are {', '.join(TOPICS)}")
    if wanted.kind is DestinationKind.MAIL:
        if set(wanted.topics) - {Topic.RUN_COMPLETED}:
            raise UsageError("mail tells of ends of runs only", hint="take a webhook for anything else")
        if wanted.secret:
            raise UsageError("mail is not signed", hint="leave the secret out")
        return _addresses(wanted.target)
    if wanted.secret and not _SHORTEST_SECRET <= len(wanted.secret) <= _LONGEST_SECRET:
        raise UsageError(f"a secret has {_SHORTEST_SECRET} to {_LONGEST_SECRET} characters")
    return _url(wanted.target)


def _addresses(target: str) -> str:
    listed = [each.strip() for each in target.split(",")]
    if len(listed) > MOST_ADDRESSES:
        raise UsageError(f"a destination has at most {MOST_ADDRESSES} addresses", hint="use a mailing list")
    for address in listed:
        if _ADDRESS.fullmatch(address) is None:
            raise UsageError(f"`{address[:80]}` is no address of mail", hint="write it as ann@example.org")
    return ",".join(dict.fromkeys(listed))


def _url(target: str) -> str:
    hint = "write it as https://HOST/PATH"
    if len(target) > _LONGEST_URL or not (target.isascii() and target.isprintable()) or " " in target:
        raise UsageError("the URL of the webhook is none", hint=hint)
    try:
        parts = urlsplit(target)
        known = bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or parts.scheme not in {"https", "http"} or "@" in parts.netloc:
        raise UsageError("the URL of the webhook is none that can be called", hint=hint)
    return target
