"""Work on one delivery: its events, the workflow files at their commits, the runs that these start."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pawl.core.model.errors import (
    Conflict,
    Denied,
    InfrastructureError,
    NotFound,
    PawlError,
    TransientError,
    Unavailable,
    UsageError,
)
from pawl.core.model.events import Event
from pawl.core.model.projects import DeliveryRecord, DeliverySource, DeliveryState, Project, Verdict
from pawl.core.model.status import Status
from pawl.core.triggers.skip import skip_reason
from pawl.core.workflow.parse import Parsed
from pawl.engine.control.requests import Trigger
from pawl.engine.intake.commits import Commits
from pawl.engine.intake.desk import IntakeDesk
from pawl.engine.intake.matching import refusal, wants_files
from pawl.engine.intake.reading import read_events, scheduled_path
from pawl.engine.intake.scheduling import Schedules
from pawl.ports.mirrors import WorkflowText
from pawl.ports.store import Transaction

OF_DELIVERIES = "delivery:"
"""What the request ids of deliveries' runs begin with; nobody else's do."""
_LONGEST_REASON = 4000
_LOOK_BACK = 20
"""Heads of a ref that are looked through for one that it was at meanwhile."""


class _Lost(Exception):  # noqa: N818 - no error: somebody else has the delivery by now
    """The delivery is not ours any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """One event of a delivery, at its place in it."""

    delivery: DeliveryRecord
    project: Project
    event: Event
    index: int


class Working:
    """Works on deliveries that were claimed."""

    def __init__(self, desk: IntakeDesk, schedules: Schedules) -> None:
        self._desk = desk
        self._commits = Commits(desk)
        self._schedules = schedules

    async def on(self, delivery: DeliveryRecord) -> Exception | None:
        """Work on a delivery till it is done, failed, or to be tried later; return a fault of our own.

        Raises:
            Unavailable: the store cannot answer; whoever claims the delivery next goes on.
        """
        held = _Held(self._desk, delivery)
        holding = asyncio.create_task(held.renew())
        fault: Exception | None = None
        try:
            ended, fault = await self._outcome(delivery)
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)
        await held.save(ended)
        return fault

    async def _outcome(self, delivery: DeliveryRecord) -> tuple[DeliveryRecord, Exception | None]:
        try:
            verdicts, reason = await self._verdicts(delivery)
        except InfrastructureError as error:
            return self._later(delivery, "fetch_failed", error), None
        except NotFound as error:
            return self._vanished(delivery, error), None
        except UsageError as error:
            kind = "fetch_refused" if isinstance(error, Denied) else "unusable"
            return self._failed(delivery, f"{kind}: {_said(error)}"), None
        except Exception as error:  # noqa: BLE001 - a fence: one delivery must not end the work on all others
            return self._faulty(delivery, error), error
        now = self._desk.clock.now()
        done = replace(
            delivery,
            state=DeliveryState.DONE,
            done_at=now,
            reason=reason[:_LONGEST_REASON],
            verdicts=tuple(verdicts),
        )
        return done, None

    async def _verdicts(self, delivery: DeliveryRecord) -> tuple[Sequence[Verdict], str]:
        desk = self._desk
        project = await desk.read(lambda tx: tx.projects.get(delivery.project))
        if project is None:
            return (), f"project {delivery.project} was removed"
        if not project.active:
            return (), f"project {delivery.project} is not active"
        events = read_events(delivery, project, desk.forges[project.forge])
        verdicts: list[Verdict] = []
        for index, event in enumerate(events):
            told = _Told(delivery=delivery, project=project, event=event, index=index)
            verdicts += await self._event(told)
        return verdicts, "" if verdicts else "nothing in it starts a workflow"

    async def _event(self, told: _Told) -> Sequence[Verdict]:
        event, project = told.event, told.project
        if reason := skip_reason(event) or await self._told_by_poll(told):
            return [Verdict(path="", event=event.name, reason=reason)]
        event = await self._commits.with_message(project, await self._commits.settle(project, event))
        if reason := skip_reason(event):
            return [Verdict(path="", event=event.name, reason=reason)]
        if event.name == "push" and event.branch == project.default_branch:
            await self._schedules.read(project, event.sha)
        files = await self._desk.mirrors.workflows(project.name, event.sha)
        only = scheduled_path(told.delivery)
        if only is not None:
            files = tuple(file for file in files if file.path == only)
        if not files:
            missing = f"there is no workflow {only}" if only else "there are no workflow files"
            return [Verdict(path="", event=event.name, reason=f"{missing} at {event.sha}")]
        return await self._files(replace(told, event=event), files)

    async def _files(self, told: _Told, files: Sequence[WorkflowText]) -> Sequence[Verdict]:
        """Return what each workflow file says to an event, and start those that say yes."""
        runs, event = self._desk.runs, told.event
        parsed = [await runs.parsed(file.path, file.text) for file in files]
        if any(wants_files(each, event) for each in parsed):
            event = await self._commits.with_changes(told.project, event)
            told = replace(told, event=event)
        verdicts = [refusal(each, event, file.path) for each, file in zip(parsed, files, strict=True)]
        await self._tell_refused(told, parsed, verdicts)
        starting = [file for file, verdict in zip(files, verdicts, strict=True) if verdict is None]
        if not starting:
            return [verdict for verdict in verdicts if verdict is not None]
        gives_way = await self._commits.is_outdated(event, told.delivery)
        made = {file.path: await self._start(told, file, gives_way=gives_way) for file in starting}
        return [verdict or made[file.path] for file, verdict in zip(files, verdicts, strict=True)]

    async def _tell_refused(
        self, told: _Told, parsed: Sequence[Parsed], verdicts: Sequence[Verdict | None]
    ) -> None:
        refused = [
            ((each.workflow.name.text if each.workflow.name else "").strip() or each.workflow.path, verdict)
            for each, verdict in zip(parsed, verdicts, strict=True)
            if verdict is not None and each.workflow is not None
        ]
        if refused and self._desk.tell_refused is not None:
            await self._desk.tell_refused(told.project, told.event, refused)

    async def _start(self, told: _Told, file: WorkflowText, *, gives_way: bool) -> Verdict:
        delivery, event = told.delivery, told.event
        wanted = Trigger(
            path=file.path,
            text=file.text,
            event=event,
            request_id=request_id(delivery, told.index, event.name, file.path),
            correlation=delivery.correlation,
            gives_way=gives_way,
        )
        runs = self._desk.runs
        try:
            run = await runs.trigger(wanted)
            reason = run.reason if run.status is Status.WAITING else "it starts"
        except Conflict as error:
            return Verdict(path=file.path, event=event.name, reason=f"it was started before: {_said(error)}")
        except UsageError as error:
            reason = _said(error)
            run = await runs.refuse(wanted, reason)
        return Verdict(path=file.path, event=event.name, run=run.id, reason=reason[:_LONGEST_REASON])

    async def _told_by_poll(self, told: _Told) -> str:
        """Return that the poll told of a push before its late webhook came; else ""."""
        delivery, event = told.delivery, told.event
        if delivery.source is not DeliverySource.WEBHOOK or delivery.replay_of or event.name != "push":
            return ""

        def look(tx: Transaction) -> DeliveryRecord | None:
            head = tx.heads.get(delivery.project, event.ref, event.sha)
            if head is None or not 0 < head.delivery < delivery.id:
                return None
            first = tx.deliveries.get(head.delivery)
            # Where the ref was elsewhere since, it was pushed back: that is another push of the same commit.
            others = tx.heads.of_ref(delivery.project, event.ref, _LOOK_BACK)
            since = first.received_at if first is not None else 0.0
            left = any(
                since < each.told_at <= delivery.received_at for each in others if each.sha != head.sha
            )
            return None if left else first

        first = await self._desk.read(look)
        if first is None or first.source is not DeliverySource.POLL:
            return ""
        return f"the poll found this push before its webhook came: delivery {first.id}"

    def _later(self, delivery: DeliveryRecord, kind: str, error: PawlError) -> DeliveryRecord:
        """Return a delivery that is tried later, or given up after a day."""
        rules, now = self._desk.rules, self._desk.clock.now()
        if now - delivery.received_at > rules.give_up:
            return self._failed(delivery, f"{kind}: {_said(error)}")
        delay = min(rules.longest_delay, rules.first_delay * 2 ** min(delivery.tries, 20))
        # Not all at once, when a forge comes back that many projects wait for.
        delay *= 0.75 + self._desk.randomness.fraction() / 2
        if isinstance(error, Unavailable):
            delay = max(delay, min(error.retry_after, rules.longest_delay))
        return replace(
            delivery,
            tries=delivery.tries + 1,
            next_at=now + delay,
            reason=f"{kind}: {_said(error)}; it is tried again"[:_LONGEST_REASON],
        )

    def _vanished(self, delivery: DeliveryRecord, error: NotFound) -> DeliveryRecord:
        if delivery.tries + 1 >= self._desk.rules.vanished_tries:
            return self._failed(delivery, f"commit_not_found: {_said(error)}")
        return self._later(delivery, "commit_not_found", error)

    def _faulty(self, delivery: DeliveryRecord, error: Exception) -> DeliveryRecord:
        told = PawlError(f"a fault of Pawl's own ({type(error).__name__})")
        if delivery.tries + 1 >= self._desk.rules.fault_tries:
            return self._failed(delivery, _said(told))
        return self._later(delivery, "fault", told)

    def _failed(self, delivery: DeliveryRecord, reason: str) -> DeliveryRecord:
        return replace(
            delivery,
            state=DeliveryState.FAILED,
            done_at=self._desk.clock.now(),
            reason=reason[:_LONGEST_REASON],
        )


def request_id(delivery: DeliveryRecord, index: int, event: str, path: str) -> str:
    """Return the id under which a run is made: the same whenever the same delivery is worked on again."""
    return f"{OF_DELIVERIES}{delivery.project}:{delivery.key}:{index}:{event}:{path}"


def _said(error: PawlError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message


class _Held:
    """A claimed delivery: nobody else works on it while this is renewed."""

    def __init__(self, desk: IntakeDesk, delivery: DeliveryRecord) -> None:
        self._desk = desk
        self._id = delivery.id
        self._until = delivery.next_at
        self._renewing: asyncio.Task[None] | None = None

    async def renew(self) -> None:
        """Hold it for longer, from time to time, until cancelled, or until it is another's."""
        while True:
            await self._desk.clock.sleep(self._desk.rules.hold / 3)
            # Shielded: were it not known whether a renewal was stored, the outcome would not be either.
            self._renewing = asyncio.create_task(self._renew())
            try:
                await asyncio.shield(self._renewing)
            except TransientError:
                continue
            except _Lost:
                return

    async def _renew(self) -> None:
        until = self._desk.clock.now() + self._desk.rules.hold
        await self._desk.write(lambda tx: tx.deliveries.save(replace(self._own(tx), next_at=until)))
        self._until = until

    async def save(self, ended: DeliveryRecord) -> None:
        """Store what became of it, unless it is another's by now, whose outcome counts."""

        def work(tx: Transaction) -> None:
            self._own(tx)
            tx.deliveries.save(ended)

        if self._renewing is not None:
            await asyncio.gather(self._renewing, return_exceptions=True)
        try:
            await self._desk.write(work)
        except _Lost:
            return

    def _own(self, tx: Transaction) -> DeliveryRecord:
        found = tx.deliveries.get(self._id, lock=True)
        if found is None or found.state is not DeliveryState.STORED or found.next_at != self._until:
            raise _Lost
        return found
