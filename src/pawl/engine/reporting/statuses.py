"""Sending commit statuses: the newest of each name, one at a time, until the forge has it or will not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from pawl.core.model.errors import InfrastructureError, PawlError, TransientError, Unavailable, UsageError
from pawl.core.model.events import Event
from pawl.core.model.forge import CommitStatus
from pawl.core.model.projects import Project, Verdict
from pawl.core.model.reporting import StatusRecord
from pawl.engine.reporting.crew import Crew
from pawl.engine.reporting.desk import ReportingDesk
from pawl.engine.reporting.lines import commit_of, context_of, kept_out_line, ref_of
from pawl.engine.reporting.reporter import STATUSES, Place, set_status
from pawl.ports.store import Transaction

MOST_LISTED = 500
_LONGEST_REASON = 1000


class Statuses:
    """The commit statuses of a server. Any number of servers may share a store.

    Attributes:
        counts: how sending went: `sent`, `later` (tried again), `refused` (given up).
    """

    def __init__(self, desk: ReportingDesk) -> None:
        self._desk = desk
        self.counts: Counter[str] = Counter()
        rules = desk.rules
        self.crew: Crew[StatusRecord, str] = Crew(
            self._claim, self._send, lambda one: one.project, at_once=rules.at_once, of_one=rules.of_one
        )

    async def work(self) -> int:
        """Send all that is due, and return how many times something was sent.

        It is safe to be killed at any moment: whoever comes next sends it again, and the same again changes
        nothing.
        """
        return await self.crew.all()

    async def recent(
        self, project: str | None = None, sha: str | None = None, limit: int = 50
    ) -> tuple[StatusRecord, ...]:
        """Return the statuses that were set last, newest first; at most 500."""
        most = max(0, min(limit, MOST_LISTED))
        return await self._desk.read(lambda tx: tx.statuses.recent(project, sha, most))

    async def kept_out(self, project: Project, event: Event, verdicts: Sequence[tuple[str, Verdict]]) -> None:
        """Set what stands at an event's commit for workflows that their path filters kept out.

        Args:
            project: whose they are.
            event: with its commit.
            verdicts: of workflow files, with the names of the workflows.
        """
        sha, now = commit_of(event), self._desk.clock.now()
        lines = [(name, line) for name, each in verdicts if (line := kept_out_line(each)) is not None]
        if not lines or not sha or event.provider != project.forge.value:
            return
        place = Place(project=project.name, sha=sha, ref=ref_of(event))

        def work(tx: Transaction) -> None:
            for name, line in lines:
                context = context_of(project.context, name, event.name)
                set_status(tx, place, context, line, now, begins=False)

        await self._desk.write(work)

    async def _claim(self, limit: int, busy: Collection[str]) -> Sequence[StatusRecord]:
        now = self._desk.clock.now()
        until = now + self._desk.rules.hold
        return await self._desk.write(lambda tx: tx.statuses.claim(now, until, limit, busy))

    async def _send(self, claimed: StatusRecord) -> None:
        """Send a status that was claimed, and store what came of it."""
        project = await self._desk.read(lambda tx: tx.projects.get(claimed.project))
        error: Exception | None = None
        try:
            await self._report(project, claimed)
        except TimeoutError:
            error = TransientError(f"sending it took more than {self._desk.rules.patience:.0f} seconds")
        except Exception as raised:  # noqa: BLE001 - a fence: whatever it was is stored, and tried again
            error = raised
        ended = await self._desk.write(lambda tx: self._settle(tx, claimed, error))
        self.counts[ended] += 1

    async def _report(self, project: Project | None, status: StatusRecord) -> None:
        if project is None:
            raise UsageError(f"there is no project {status.project} any more")
        rules, forge = self._desk.rules, self._desk.forges.get(project.forge)
        if forge is None:
            raise UsageError(f"this server does not know the forge {project.forge.value}")
        told = CommitStatus(
            sha=status.sha,
            context=status.context,
            state=status.state,
            description=status.description,
            url=rules.link(status.run) if status.run is not None else rules.url,
            ref=status.ref,
            started_at=status.started_at,
            completed_at=status.completed_at,
        )
        async with asyncio.timeout(rules.patience):
            await forge.report(self._desk.access(project), told)

    def _settle(self, tx: Transaction, sent: StatusRecord, error: Exception | None) -> str:
        """Store what came of sending one; return the word it is counted by."""
        now = self._desk.clock.now()
        known = tx.statuses.get(sent.project, sent.sha, sent.context, lock=True)
        if known is None:
            return "gone"
        if known.claims != sent.claims:
            # It took so long that another server has sent it too: nobody knows whose came last.
            # A further sequence, so that whoever sends it now sends it once more after that.
            next_at = known.next_at if known.waiting else now
            tx.statuses.put(replace(known, sequence=known.sequence + 1, waiting=True, next_at=next_at))
            tx.notify(STATUSES)
            return "overtaken"
        if error is None:
            newer = known.sequence > sent.sequence
            settled = replace(known, sent=sent.sequence, waiting=newer, tries=0, next_at=0.0, reason="")
        else:
            settled = self._failed(known, sent, error, now)
        tx.statuses.put(settled)
        if settled.waiting and settled.next_at <= now:
            tx.notify(STATUSES)
        return "sent" if error is None else "later" if settled.waiting else "refused"

    def _failed(self, known: StatusRecord, sent: StatusRecord, error: Exception, now: float) -> StatusRecord:
        rules = self._desk.rules
        reason = said(error)[:_LONGEST_REASON]
        if isinstance(error, UsageError):
            newer = known.sequence > sent.sequence  # which may be another matter: it is asked once
            return replace(known, waiting=newer, tries=0, next_at=0.0, reason=reason)
        if now - known.changed_at > rules.give_up:
            return replace(known, waiting=False, tries=0, next_at=0.0, reason=reason)
        delay = rules.delay(known.tries, self._desk.randomness.fraction())
        if isinstance(error, Unavailable):
            delay = max(delay, min(error.retry_after, 2 * rules.longest_delay))
        return replace(known, tries=known.tries + 1, next_at=now + delay, reason=reason)


def said(error: Exception) -> str:
    """Return what an error means, for people; of a mistake of ours only its kind."""
    if not isinstance(error, PawlError):
        return f"a fault of Pawl's own ({type(error).__name__})"
    hidden = isinstance(error, InfrastructureError) and not isinstance(error, TransientError)
    hint = error.hint and f" ({error.hint})"
    return f"{error.message}{hint or ''}" if not hidden else error.message
