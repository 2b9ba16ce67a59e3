"""Sending notices: webhooks and mail, with retries, a log of answers, and an end to what never arrives."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from pawl.core.forges.answers import Reply as Answer
from pawl.core.forges.answers import retry_after, shortened
from pawl.core.model.errors import Conflict, NotFound, TransientError, Unavailable, UsageError
from pawl.core.model.reporting import DestinationKind, DestinationRecord, NoticeRecord, NoticeState, Reply
from pawl.engine.control import audit
from pawl.engine.reporting.crew import Crew
from pawl.engine.reporting.desk import ReportingDesk, destination_scope
from pawl.engine.reporting.mails import mail_of
from pawl.engine.reporting.reporter import NOTICES
from pawl.engine.reporting.statuses import said
from pawl.ports.outgoing import Outgoing
from pawl.ports.store import Transaction

MOST_LISTED = 500
_REPLIES = 5
"""Of a notice that are kept: the last ones."""
_LONGEST_TEXT = 500
_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What one try came to: the reply to note, and how it went on."""

    reply: Reply
    arrived: bool = False
    final: bool = False
    wait: float = 0.0


class Notices:
    """The notices of a server. Any number of servers may share a store.

    Attributes:
        counts: how sending went: `sent`, `later` (tried again), `failed` (given up).
    """

    def __init__(self, desk: ReportingDesk) -> None:
        self._desk = desk
        self.counts: Counter[str] = Counter()
        rules = desk.rules
        self.crew: Crew[NoticeRecord, int] = Crew(
            self._claim, self._send, lambda one: one.destination, at_once=rules.at_once, of_one=rules.of_one
        )

    async def work(self) -> int:
        """Send all that is due, and return how many times something was sent. Killed, it is sent again."""
        return await self.crew.all()

    async def recent(
        self, destination: int | None = None, *, before: int | None = None, limit: int = 50
    ) -> tuple[NoticeRecord, ...]:
        """Return the newest notices, newest first; at most 500."""
        most = max(0, min(limit, MOST_LISTED))
        return await self._desk.read(lambda tx: tx.notices.recent(destination, before=before, limit=most))

    async def get(self, number: int) -> NoticeRecord:
        """Return a notice.

        Raises:
            NotFound: there is none, or not any more.
        """
        found = await self._desk.read(lambda tx: tx.notices.get(number))
        if found is None:
            raise _unknown(number)
        return found

    async def again(self, number: int, *, by: str) -> NoticeRecord:
        """Have a notice sent once more, under the same id for its receiver; return the new one.

        Raises:
            NotFound: there is no such notice.
            Conflict: its destination is switched off.
        """
        now = self._desk.clock.now()

        def work(tx: Transaction) -> NoticeRecord:
            old = tx.notices.get(number)
            destination = tx.destinations.get(old.destination) if old is not None else None
            if old is None or destination is None:
                raise _unknown(number)
            if not destination.active:
                raise Conflict(
                    f"destination {destination.id} is switched off: {destination.reason}",
                    hint="`pawl notify enable` switches it on",
                )
            made = tx.notices.add(
                NoticeRecord(
                    destination=old.destination,
                    topic=old.topic,
                    body=old.body,
                    project=old.project,
                    run=old.run,
                    created_at=now,
                    again=number,
                )
            )
            audit.note(tx, now, by=by, action="notice.again", target=f"notice {number}")
            tx.notify(NOTICES)
            return made

        return await self._desk.write(work)

    async def _claim(self, limit: int, busy: Collection[int]) -> Sequence[NoticeRecord]:
        now = self._desk.clock.now()
        until = now + self._desk.rules.hold
        return await self._desk.write(lambda tx: tx.notices.claim(now, until, limit, busy))

    async def _send(self, claimed: NoticeRecord) -> None:
        destination = await self._desk.read(lambda tx: tx.destinations.get(claimed.destination))
        if destination is None:
            return
        outcome = await self._outcome(destination, claimed)
        self.counts[await self._desk.write(lambda tx: self._settle(tx, claimed, outcome))] += 1

    async def _outcome(self, destination: DestinationRecord, notice: NoticeRecord) -> _Outcome:
        patience = self._desk.rules.patience
        try:
            async with asyncio.timeout(patience):
                if destination.kind is DestinationKind.MAIL:
                    return await self._mailed(destination, notice)
                return await self._posted(destination, notice)
        except UsageError as error:
            return _Outcome(reply=self._reply(0, said(error)), final=True)
        except TimeoutError:
            return _Outcome(reply=self._reply(0, f"it took more than {patience:.0f} seconds"))
        except TransientError as error:
            wait = error.retry_after if isinstance(error, Unavailable) else 0.0
            return _Outcome(reply=self._reply(0, said(error)), wait=wait)
        except Exception as error:  # noqa: BLE001 - a fence: whatever it was is stored, and tried again
            return _Outcome(reply=self._reply(0, said(error)))

    async def _mailed(self, destination: DestinationRecord, notice: NoticeRecord) -> _Outcome:
        to = tuple(destination.target.split(","))
        told = await self._desk.postman.send(mail_of(notice.body, to, notice.created_at))
        return _Outcome(reply=self._reply(250, told), arrived=True)

    async def _posted(self, destination: DestinationRecord, notice: NoticeRecord) -> _Outcome:
        now, body = self._desk.clock.now(), notice.body.encode()
        scope = destination_scope(destination.project, destination.target)
        secret = self._desk.sealing.open(destination.secret, scope)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Pawl",
            "X-CI-Event": notice.topic.value,
            "X-CI-Delivery": identity_of(notice),
            "X-CI-Signature": signature(secret, body, now),
        }
        request = Outgoing(method="POST", url=destination.target, headers=headers, body=body)
        answered = await self._desk.sender.send(request)
        text = answered.body[: 4 * _LONGEST_TEXT].decode("utf-8", "replace")
        reply = self._reply(answered.status, text)
        if 200 <= answered.status < 300:
            return _Outcome(reply=reply, arrived=True)
        asked = Answer(status=answered.status, headers=answered.headers, body=b"")
        wait = retry_after(asked, now) if "retry-after" in answered.headers else 0.0
        return _Outcome(reply=reply, wait=wait)

    def _reply(self, status: int, text: str) -> Reply:
        return Reply(time=self._desk.clock.now(), status=status, text=shortened(text, _LONGEST_TEXT))

    def _settle(self, tx: Transaction, sent: NoticeRecord, outcome: _Outcome) -> str:
        """Store what came of one try; return the word it is counted by."""
        rules, now = self._desk.rules, self._desk.clock.now()
        destination = tx.destinations.get(sent.destination, lock=True)
        known = tx.notices.get(sent.id, lock=True)
        if destination is None or known is None:
            return "gone"
        if known.claims != sent.claims or known.state is not NoticeState.WAITING:
            return "overtaken"
        tried = replace(known, tries=known.tries + 1, replies=(*known.replies, outcome.reply)[-_REPLIES:])
        if outcome.arrived:
            tx.notices.save(replace(tried, state=NoticeState.DONE, done_at=now, reason=""))
            if destination.failing_since is not None:
                tx.destinations.save(replace(destination, failing_since=None))
            return "sent"
        reason = _why(outcome.reply)
        given_up = outcome.final or now - known.created_at > rules.give_up
        if given_up:
            tx.notices.save(replace(tried, state=NoticeState.FAILED, done_at=now, reason=reason))
        else:
            delay = rules.delay(known.tries, self._desk.randomness.fraction())
            delay = max(delay, min(outcome.wait, 2 * rules.longest_delay))
            tx.notices.save(replace(tried, next_at=now + delay, reason=reason))
        self._note_failure(tx, destination, reason, now)
        return "failed" if given_up else "later"

    def _note_failure(self, tx: Transaction, destination: DestinationRecord, reason: str, now: float) -> None:
        """Remember since when nothing arrives, and switch a destination off where that is long."""
        since, rules = destination.failing_since, self._desk.rules
        if since is None:
            tx.destinations.save(replace(destination, failing_since=now))
        elif destination.active and now - since > rules.disable_after:
            told = f"nothing arrived there for {rules.disable_after / _DAY:g} days: {reason}"
            tx.destinations.save(replace(destination, active=False, reason=told))
            tx.notices.give_up(destination.id, now, told)


def signature(secret: str, body: bytes, now: float) -> str:
    """Return the `X-CI-Signature` of a body: as a generic webhook that comes in is signed."""
    time = str(int(now))
    digest = hmac.digest(secret.encode(), f"{time}.".encode() + body, "sha256").hex()
    return f"t={time},v1={digest}"


def identity_of(notice: NoticeRecord) -> str:
    """Return the id under which a receiver gets a notice: the same however often it is sent."""
    return str(json.loads(notice.body)["id"])


def _why(reply: Reply) -> str:
    return f"the answer was {reply.status}" if reply.status else reply.text


def _unknown(number: int) -> NotFound:
    return NotFound(f"there is no notice {number}", hint="`pawl notify log` lists them")
