"""Schedules: the cron lines of default branches, each minute once, however many servers look (F21)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pawl.core.model.errors import PawlError
from pawl.core.model.projects import DeliveryRecord, DeliverySource, DeliveryState, Project, ScheduleRecord
from pawl.core.triggers.due import due_now, first_fire
from pawl.core.workflow.cron import Cron, parse_cron
from pawl.engine.intake.desk import DELIVERIES, IntakeDesk
from pawl.engine.intake.reading import schedule_body
from pawl.ports.store import Transaction

_MOST_AT_ONCE = 200
_CLOCK_SET_BACK = 60.0
_UTC = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """What one look at the schedules did: deliveries made, and what could not be read anew, by project."""

    deliveries: int = 0
    faults: Mapping[str, PawlError] = field(default_factory=dict)


class Schedules:
    """The schedules of a server's projects."""

    def __init__(self, desk: IntakeDesk) -> None:
        self._desk = desk

    async def read(self, project: Project, sha: str) -> None:
        """Keep the schedules that the workflow files at a commit of the default branch have.

        Raises:
            UsageError: the files cannot be read.
        """
        lines: dict[tuple[str, str, str], None] = {}
        for file in await self._desk.mirrors.workflows(project.name, sha):
            parsed = await self._desk.runs.parsed(file.path, file.text)
            for trigger in parsed.workflow.triggers if parsed.workflow else ():
                for each in trigger.schedules:
                    lines[file.path, each.cron.text, str(each.timezone or _UTC)] = None
        now = self._desk.clock.now()

        def work(tx: Transaction) -> None:
            known = {
                (each.path, each.cron, each.zone): each for each in tx.schedules.of_project(project.name)
            }
            made = [_kept(project.name, line, known.get(line), now) for line in lines]
            wanted = [each for each in made if each is not None]
            if set(wanted) != set(known.values()):
                tx.schedules.replace(project.name, wanted)

        await self._desk.write(work)

    async def fire(self) -> Fired:
        """Make deliveries of what is due, and read default branches anew that were not read for long.

        Raises:
            Unavailable: the store cannot answer.
        """
        desk, now = self._desk, self._desk.clock.now()
        count = 0
        if await desk.read(lambda tx: tx.schedules.due(now, 1)):
            count = await desk.write(lambda tx: self._fire(tx, now))
        return Fired(deliveries=count, faults=await self._read_anew(now))

    def _fire(self, tx: Transaction, now: float) -> int:
        fired = 0
        for schedule in tx.schedules.due(now, _MOST_AT_ONCE):
            cron, zone = _times(schedule)
            if cron is None:
                tx.schedules.save(replace(schedule, set_at=now, next_at=None))
                continue
            if schedule.set_at > now + _CLOCK_SET_BACK or schedule.next_at is None:
                # Times that were run for stay taken: their deliveries are there.
                tx.schedules.save(replace(schedule, set_at=now, next_at=first_fire(cron, zone, now)))
                continue
            due = due_now(cron, zone, since=schedule.next_at, now=now, catch_up=self._desk.rules.catch_up)
            minute = due.fire if due.fire is not None else schedule.next_at
            project = tx.projects.get(schedule.project)
            if project is not None and project.active:
                delivery = self._delivery(schedule, minute, now, missed=due.fire is None)
                fired += tx.deliveries.add(delivery) is not None
            tx.schedules.save(replace(schedule, set_at=now, next_at=due.next_at, fired_at=minute))
        if fired:
            tx.notify(DELIVERIES)
        return fired

    def _delivery(
        self, schedule: ScheduleRecord, minute: float, now: float, *, missed: bool
    ) -> DeliveryRecord:
        line = f"{schedule.path}\n{schedule.cron}\n{schedule.zone}"
        digest = hashlib.sha256(line.encode("utf-8", "replace")).hexdigest()[:32]
        made = DeliveryRecord(
            project=schedule.project,
            key=f"schedule:{int(minute)}:{digest}",
            source=DeliverySource.SCHEDULE,
            name="schedule",
            received_at=now,
            correlation=digest[:16],
            body=schedule_body(schedule.path, schedule.cron, schedule.zone, minute),
        )
        if not missed:
            return made
        hours = self._desk.rules.catch_up / 3600
        due = datetime.fromtimestamp(minute, UTC)
        reason = (
            f"`{schedule.cron}` of {schedule.path} was due at {due:%Y-%m-%d %H:%M} UTC, when no server"
            f" was there; what is more than {hours:g} hours old is not made up for"
        )
        return replace(made, state=DeliveryState.DONE, done_at=now, reason=reason)

    async def _read_anew(self, now: float) -> dict[str, PawlError]:
        """Read the default branches that were not looked at for long; return what went wrong."""
        desk, faults = self._desk, dict[str, PawlError]()
        if not await desk.read(lambda tx: any(self._stale(tx, now))):
            return faults
        for project in await desk.write(lambda tx: tuple(self._stale(tx, now, claim=True))):
            try:
                await desk.mirrors.fetch(await desk.origin(project))
                sha = await desk.mirrors.resolve(project.name, f"refs/heads/{project.default_branch}")
                if sha is not None:
                    await self.read(project, sha)
            except PawlError as error:
                faults[project.name] = error
        return faults

    def _stale(self, tx: Transaction, now: float, *, claim: bool = False) -> Iterator[Project]:
        every = self._desk.rules.reread
        for project in tx.projects.all():
            key = f"schedules-read:{project.name}"
            last = tx.keys.get(key)
            read = float(last) if isinstance(last, int | float) else 0.0
            # A time in the future is of a clock that has since been set back.
            if project.active and not now - every < read <= now + _CLOCK_SET_BACK:
                if claim:
                    tx.keys.put(key, now, time=now, lasting=True)
                yield project


def _kept(
    project: str, line: tuple[str, str, str], known: ScheduleRecord | None, now: float
) -> ScheduleRecord | None:
    """Return a schedule as it goes on, or begins; None when its line is none."""
    if known is not None:
        return known
    path, cron_text, zone_name = line
    schedule = ScheduleRecord(
        project=project, path=path, cron=cron_text, zone=zone_name, set_at=now, next_at=None
    )
    cron, zone = _times(schedule)
    return None if cron is None else replace(schedule, next_at=first_fire(cron, zone, now))


def _times(schedule: ScheduleRecord) -> tuple[Cron | None, tzinfo]:
    cron = parse_cron(schedule.cron)
    try:
        zone: tzinfo = UTC if schedule.zone == _UTC else ZoneInfo(schedule.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None, UTC
    return (cron if isinstance(cron, Cron) else None), zone
