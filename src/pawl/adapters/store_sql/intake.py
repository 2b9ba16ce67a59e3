"""Projects, and the journal of what their forges sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from pawl.adapters.store_sql import tables
from pawl.adapters.store_sql.queue import lock_name
from pawl.adapters.store_sql.session import (
    Built,
    Row,
    Session,
    Statement,
    dumps,
    insert_into,
    insert_of,
    loads,
    upsert_into,
)
from pawl.core.model.errors import InternalError
from pawl.core.model.forge import ForgeKind
from pawl.core.model.plain import from_plain, to_plain
from pawl.core.model.projects import (
    DeliveryRecord,
    DeliverySource,
    DeliveryState,
    ForkPolicy,
    HeadRecord,
    Project,
    ScheduleRecord,
    Verdict,
)

projects = tables.projects
told_heads = tables.told_heads
schedules = tables.schedules
_NAMED = projects.c.name == sa.bindparam("wanted")
_OF_PROJECT: sa.BindParameter[str] = sa.bindparam("by_project")

PUT_PROJECT = upsert_into(projects, ["name"])
GET_PROJECT = Statement(sa.select(projects).where(_NAMED))
ALL_PROJECTS = Statement(sa.select(projects).order_by(projects.c.name))
REMOVE_PROJECT = Statement(sa.delete(projects).where(_NAMED))
REMOVE_SCHEDULES = Statement(sa.delete(schedules).where(schedules.c.project == _OF_PROJECT))
REMOVE_HEADS = Statement(sa.delete(told_heads).where(told_heads.c.project == _OF_PROJECT))


def _texts(stored: str) -> dict[str, str]:
    read = loads(stored)
    return {name: str(value) for name, value in read.items()} if isinstance(read, dict) else {}


def _project(row: Row) -> Project:
    return Project(
        name=row[0],
        forge=ForgeKind(row[1]),
        clone_url=row[2],
        created_at=row[3],
        default_branch=row[4],
        api_url=row[5],
        web_url=row[6],
        secrets=_texts(row[7]),
        user=row[8],
        app_id=row[9],
        context=row[10],
        forks=ForkPolicy(row[11]),
        poll_seconds=row[12],
        active=bool(row[13]),
        share_token=bool(row[14]),
    )


class SqlProjects:
    """`ProjectTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def put(self, project: Project) -> None:
        """Add or replace a project."""
        self._session.run(
            PUT_PROJECT,
            name=project.name,
            forge=project.forge.value,
            clone_url=project.clone_url,
            created_at=project.created_at,
            default_branch=project.default_branch,
            api_url=project.api_url,
            web_url=project.web_url,
            secrets=dumps(dict(project.secrets)),
            account=project.user,
            app_id=project.app_id,
            context=project.context,
            forks=project.forks.value,
            poll_seconds=project.poll_seconds,
            active=int(project.active),
            share_token=int(project.share_token),
        )

    def get(self, name: str) -> Project | None:
        """Return a project."""
        row = self._session.one(GET_PROJECT, wanted=name)
        return None if row is None else _project(row)

    def all(self) -> tuple[Project, ...]:
        """Return all projects."""
        return tuple(map(_project, self._session.all(ALL_PROJECTS)))

    def remove(self, name: str) -> None:
        """Remove a project."""
        self._session.run(REMOVE_PROJECT, wanted=name)
        self._session.run(REMOVE_SCHEDULES, by_project=name)
        self._session.run(REMOVE_HEADS, by_project=name)


deliveries = tables.deliveries
_WITHOUT_BODY = [
    sa.literal_column("NULL").label("body") if column.name == "body" else column for column in deliveries.c
]
_SETTABLE = [column.name for column in deliveries.c if column.name not in {"id", "body"}]
_BY_ID = deliveries.c.id == sa.bindparam("wanted")
_DONE_BEFORE = (
    sa.select(deliveries.c.id)
    .where(deliveries.c.done_at < sa.bindparam("before"))
    .order_by(deliveries.c.done_at, deliveries.c.id)
    .limit(sa.bindparam("most"))
)


def _add(kind: str) -> Built:
    made = insert_of(kind, deliveries).inline()
    adding: Built = made.on_conflict_do_nothing(index_elements=["project", "key"]).returning(deliveries.c.id)
    return adding


def _heads(kind: str) -> Built:
    """Build what returns the oldest delivery that waits of each project, where its time has come.

    It steps from project to project in the index, so it costs by how many projects wait, not by how many
    deliveries.
    """
    awaited = sa.text(tables.AWAITED)
    each = sa.select(sa.func.min(deliveries.c.project).label("project")).where(awaited)
    waiting = each.cte("waiting", recursive=True)
    following = (
        sa.select(sa.func.min(deliveries.c.project))
        .where(awaited, deliveries.c.project > waiting.c.project)
        .scalar_subquery()
    )
    waiting = waiting.union_all(sa.select(following).where(waiting.c.project.is_not(None)))
    oldest = (
        sa.select(sa.func.min(deliveries.c.id))
        .where(awaited, deliveries.c.project == waiting.c.project)
        .scalar_subquery()
    )
    ids = sa.select(oldest).where(waiting.c.project.is_not(None))
    among = deliveries.c.id.in_(ids)
    due = sa.select(*deliveries.c).where(among, awaited, deliveries.c.next_at <= sa.bindparam("now"))
    due = due.order_by(deliveries.c.id).limit(sa.bindparam("most"))
    # What another server has just locked is being claimed by it.
    return due.with_for_update(skip_locked=True) if kind == "postgresql" else due


ADD_DELIVERY = Statement(_add, [column.name for column in deliveries.c if column.name != "id"])
FIND_DELIVERY = Statement(
    sa.select(deliveries).where(
        deliveries.c.project == _OF_PROJECT, deliveries.c.key == sa.bindparam("by_key")
    )
)
GET_DELIVERY = Statement(sa.select(deliveries).where(_BY_ID))
LOCK_DELIVERY = Statement(sa.select(deliveries).where(_BY_ID).with_for_update())
SAVE_DELIVERY = Statement(sa.update(deliveries).where(_BY_ID), _SETTABLE)
CLAIMABLE = Statement(_heads)
HOLD = Statement(sa.update(deliveries).where(_BY_ID), ["next_at"])
RECENT = Statement(
    sa.select(*_WITHOUT_BODY)
    .where(deliveries.c.id < sa.bindparam("before"))
    .order_by(deliveries.c.id.desc())
    .limit(sa.bindparam("most"))
)
RECENT_OF = Statement(
    sa.select(*_WITHOUT_BODY)
    .where(deliveries.c.project == _OF_PROJECT, deliveries.c.id < sa.bindparam("before"))
    .order_by(deliveries.c.id.desc())
    .limit(sa.bindparam("most"))
)
FORGET_BODIES = Statement(
    sa.update(deliveries)
    .where(deliveries.c.id.in_(_DONE_BEFORE.where(deliveries.c.body_kept == sa.literal_column("1"))))
    .values(body=sa.bindparam("nothing"), body_kept=sa.literal_column("0")),
)
PURGE_DELIVERIES = Statement(sa.delete(deliveries).where(deliveries.c.id.in_(_DONE_BEFORE)))
COUNTS = Statement(sa.select(deliveries.c.state, sa.func.count()).group_by(deliveries.c.state))

_EVERY_ID = 1 << 62


def _verdicts(stored: str) -> tuple[Verdict, ...]:
    read = loads(stored)
    listed = read if isinstance(read, list) else []
    return tuple(from_plain(Verdict, each, "verdict", strict=False) for each in listed)


def _delivery(row: Row) -> DeliveryRecord:
    return DeliveryRecord(
        id=row[0],
        project=row[1],
        key=row[2],
        source=DeliverySource(row[3]),
        name=row[4],
        received_at=row[5],
        correlation=row[6],
        headers=_texts(row[7]),
        body=bytes(row[8] or b""),
        body_kept=bool(row[9]),
        replay_of=row[10],
        state=DeliveryState(row[11]),
        tries=row[12],
        next_at=row[13],
        done_at=row[14],
        reason=row[15],
        verdicts=_verdicts(row[16]),
    )


def _values(delivery: DeliveryRecord) -> dict[str, Any]:
    """Return the columns but for the id and the body."""
    return {
        "project": delivery.project,
        "key": delivery.key,
        "source": delivery.source.value,
        "name": delivery.name,
        "received_at": delivery.received_at,
        "correlation": delivery.correlation,
        "headers": dumps(dict(delivery.headers)),
        "body_kept": int(delivery.body_kept),
        "replay_of": delivery.replay_of,
        "state": delivery.state.value,
        "tries": delivery.tries,
        "next_at": delivery.next_at,
        "done_at": delivery.done_at,
        "reason": delivery.reason,
        "verdicts": dumps(to_plain(delivery.verdicts)),
    }


class SqlDeliveries:
    """`DeliveryTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def add(self, delivery: DeliveryRecord) -> DeliveryRecord | None:
        """Store a delivery; see the port."""
        row = self._session.one(ADD_DELIVERY, body=delivery.body, **_values(delivery))
        return None if row is None else replace(delivery, id=row[0])

    def find(self, project: str, key: str) -> DeliveryRecord | None:
        """Return the delivery of a key."""
        row = self._session.one(FIND_DELIVERY, by_project=project, by_key=key)
        return None if row is None else _delivery(row)

    def get(self, number: int, *, lock: bool = False) -> DeliveryRecord | None:
        """Return a delivery, and keep others from it where that is asked for."""
        locking = lock and self._session.writing and self._session.kind == "postgresql"
        row = self._session.one(LOCK_DELIVERY if locking else GET_DELIVERY, wanted=number)
        return None if row is None else _delivery(row)

    def save(self, delivery: DeliveryRecord) -> None:
        """Replace a delivery; its body never changes."""
        if self._session.run(SAVE_DELIVERY, wanted=delivery.id, **_values(delivery)).rowcount != 1:
            raise InternalError(f"delivery {delivery.id} was saved, but is not stored")

    def claim(self, now: float, until: float, limit: int) -> tuple[DeliveryRecord, ...]:
        """Return what is to be worked on now; see the port."""
        found = [_delivery(row) for row in self._session.all(CLAIMABLE, now=now, most=limit)]
        for one in found:
            self._session.run(HOLD, wanted=one.id, next_at=until)
        return tuple(replace(one, next_at=until) for one in sorted(found, key=lambda one: one.id))

    def recent(
        self, project: str | None, *, before: int | None = None, limit: int = 50
    ) -> tuple[DeliveryRecord, ...]:
        """Return the newest deliveries."""
        params = {"before": _EVERY_ID if before is None else before, "most": limit}
        rows = (
            self._session.all(RECENT, **params)
            if project is None
            else self._session.all(RECENT_OF, by_project=project, **params)
        )
        return tuple(map(_delivery, rows))

    def forget_bodies(self, before: float, limit: int) -> int:
        """Empty old bodies."""
        return int(self._session.run(FORGET_BODIES, before=before, most=limit, nothing=b"").rowcount)

    def purge(self, before: float, limit: int) -> int:
        """Remove old deliveries."""
        return int(self._session.run(PURGE_DELIVERIES, before=before, most=limit).rowcount)

    def counts(self) -> dict[str, int]:
        """Return how many deliveries are in which state."""
        counted = {state.value: 0 for state in DeliveryState}
        counted.update(dict(self._session.all(COUNTS)))
        return counted


_HEAD = (
    told_heads.c.project == _OF_PROJECT,
    told_heads.c.ref == sa.bindparam("by_ref"),
    told_heads.c.sha == sa.bindparam("by_sha"),
)
ADD_HEAD = Statement(
    lambda kind: insert_of(kind, told_heads).inline().on_conflict_do_nothing(),
    [column.name for column in told_heads.c],
)
TOUCH_HEAD = Statement(sa.update(told_heads).where(*_HEAD), ["told_at"])
GET_HEAD = Statement(sa.select(told_heads).where(*_HEAD))
HEADS_OF_REF = Statement(
    sa.select(told_heads)
    .where(*_HEAD[:2])
    .order_by(told_heads.c.told_at.desc(), told_heads.c.delivery.desc(), told_heads.c.sha)
    .limit(sa.bindparam("most"))
)
HEADS_OF_PROJECT = Statement(
    sa.select(told_heads)
    .where(_HEAD[0])
    .order_by(told_heads.c.ref, told_heads.c.told_at.desc(), told_heads.c.delivery.desc(), told_heads.c.sha)
)
FORGET_HEADS = Statement(
    sa.delete(told_heads).where(*_HEAD[:2], told_heads.c.told_at < sa.bindparam("before"))
)


def _head(row: Row) -> HeadRecord:
    return HeadRecord(project=row[0], ref=row[1], sha=row[2], told_at=row[3], delivery=row[4])


class SqlHeads:
    """`HeadTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def tell(self, head: HeadRecord) -> bool:
        """Store a head; see the port."""
        added = self._session.run(
            ADD_HEAD,
            project=head.project,
            ref=head.ref,
            sha=head.sha,
            told_at=head.told_at,
            delivery=head.delivery,
        )
        if added.rowcount == 1:
            return True
        self._session.run(
            TOUCH_HEAD, by_project=head.project, by_ref=head.ref, by_sha=head.sha, told_at=head.told_at
        )
        return False

    def get(self, project: str, ref: str, sha: str) -> HeadRecord | None:
        """Return a head."""
        row = self._session.one(GET_HEAD, by_project=project, by_ref=ref, by_sha=sha)
        return None if row is None else _head(row)

    def of_ref(self, project: str, ref: str, limit: int) -> tuple[HeadRecord, ...]:
        """Return the heads of a ref."""
        rows = self._session.all(HEADS_OF_REF, by_project=project, by_ref=ref, most=limit)
        return tuple(map(_head, rows))

    def of_project(self, project: str) -> tuple[HeadRecord, ...]:
        """Return all heads of a project."""
        return tuple(map(_head, self._session.all(HEADS_OF_PROJECT, by_project=project)))

    def forget(self, project: str, ref: str, *, before: float) -> None:
        """Remove old heads of a ref."""
        self._session.run(FORGET_HEADS, by_project=project, by_ref=ref, before=before)


SCHEDULES_OF = Statement(
    sa.select(schedules)
    .where(schedules.c.project == _OF_PROJECT)
    .order_by(schedules.c.path, schedules.c.cron, schedules.c.zone)
)
PUT_SCHEDULE = upsert_into(schedules, ["project", "path", "cron", "zone"])
ADD_SCHEDULE = insert_into(schedules)
DUE = Statement(
    sa.select(schedules)
    .where(sa.or_(schedules.c.next_at <= sa.bindparam("now"), schedules.c.set_at > sa.bindparam("later")))
    .order_by(schedules.c.next_at, schedules.c.project, schedules.c.path, schedules.c.cron, schedules.c.zone)
    .limit(sa.bindparam("most"))
)
_A_MINUTE = 60.0


def _schedule(row: Row) -> ScheduleRecord:
    return ScheduleRecord(
        project=row[0],
        path=row[1],
        cron=row[2],
        zone=row[3],
        set_at=row[4],
        next_at=row[5],
        fired_at=row[6],
    )


def _schedule_values(schedule: ScheduleRecord) -> dict[str, Any]:
    return {name: getattr(schedule, name) for name in (column.name for column in schedules.c)}


class SqlSchedules:
    """`ScheduleTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def of_project(self, project: str) -> tuple[ScheduleRecord, ...]:
        """Return a project's schedules."""
        return tuple(map(_schedule, self._session.all(SCHEDULES_OF, by_project=project)))

    def replace(self, project: str, schedules: Sequence[ScheduleRecord]) -> None:
        """Have a project have these and no others."""
        lock_name(self._session, "schedules")
        self._session.run(REMOVE_SCHEDULES, by_project=project)
        for schedule in schedules:
            self._session.run(ADD_SCHEDULE, **_schedule_values(schedule))

    def due(self, now: float, limit: int) -> tuple[ScheduleRecord, ...]:
        """Return what is due, and keep others from all schedules."""
        lock_name(self._session, "schedules")
        return tuple(map(_schedule, self._session.all(DUE, now=now, later=now + _A_MINUTE, most=limit)))

    def save(self, schedule: ScheduleRecord) -> None:
        """Replace a schedule."""
        self._session.run(PUT_SCHEDULE, **_schedule_values(schedule))
