"""What is to be told outside: commit statuses, destinations, notices, streaks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from pawl.adapters.store_sql import tables_reporting as tables
from pawl.adapters.store_sql.queue import lock_name
from pawl.adapters.store_sql.session import (
    Built,
    Row,
    Session,
    Statement,
    dumps,
    insert_of,
    loads,
    upsert_into,
)
from pawl.core.model.errors import InternalError
from pawl.core.model.forge import CommitState
from pawl.core.model.ids import RunId
from pawl.core.model.plain import from_plain, to_plain
from pawl.core.model.reporting import (
    DestinationKind,
    DestinationRecord,
    NoticeRecord,
    NoticeState,
    Reply,
    StatusRecord,
    Streak,
    Told,
    Topic,
)

statuses = tables.statuses
destinations = tables.destinations
notices = tables.notices
streaks = tables.streaks

_NOW: sa.BindParameter[float] = sa.bindparam("now")
_MOST: sa.BindParameter[int] = sa.bindparam("most")
_STATUS = (
    statuses.c.project == sa.bindparam("by_project"),
    statuses.c.sha == sa.bindparam("by_sha"),
    statuses.c.context == sa.bindparam("by_context"),
)


def _adding(table: sa.Table) -> Statement:
    """Return the statement that adds a row under the next id and returns that."""

    def build(kind: str) -> Built:
        made: Built = insert_of(kind, table).inline().returning(table.c.id)
        return made

    return Statement(build, [column.name for column in table.c if column.name != "id"])


def _due(table: sa.Table, of: sa.Column[Any], waits: str) -> tuple[Statement, Statement]:
    """Return what asks who has something due, longest due first, and what asks for the first of one."""
    due = (sa.text(waits), table.c.next_at <= _NOW)
    who = sa.select(of).where(*due).group_by(of).order_by(sa.func.min(table.c.next_at), of)
    key = tuple(table.primary_key.columns)
    first = sa.select(table).where(*due, of == sa.bindparam("of")).order_by(table.c.next_at, *key)
    first = first.limit(sa.literal_column("1"))
    # What another server has just locked is being claimed, or set, by it.
    locked = first.with_for_update(skip_locked=True)
    return Statement(who), Statement(lambda kind: locked if kind == "postgresql" else first)


GET_STATUS = Statement(sa.select(statuses).where(*_STATUS))
LOCK_STATUS = Statement(sa.select(statuses).where(*_STATUS).with_for_update())
PUT_STATUS = upsert_into(statuses, ["project", "sha", "context"])
STATUSES_OF, STATUS_DUE = _due(statuses, statuses.c.project, tables.STATUS_WAITS)
HOLD_STATUS = Statement(
    sa.update(statuses)
    .where(*_STATUS)
    .values(next_at=sa.bindparam("until"), claims=statuses.c.claims + sa.literal_column("1"))
)


def _recent_statuses(*where: sa.ColumnElement[bool]) -> Statement:
    order = (statuses.c.changed_at.desc(), statuses.c.project, statuses.c.sha, statuses.c.context)
    return Statement(sa.select(statuses).where(*where).order_by(*order).limit(_MOST))


RECENT_STATUSES = {
    (False, False): _recent_statuses(),
    (True, False): _recent_statuses(_STATUS[0]),
    (False, True): _recent_statuses(_STATUS[1]),
    (True, True): _recent_statuses(*_STATUS[:2]),
}
_OLD_STATUSES = (
    sa.select(statuses.c.project, statuses.c.sha, statuses.c.context)
    .where(statuses.c.changed_at < sa.bindparam("before"), statuses.c.waiting == sa.literal_column("0"))
    .order_by(statuses.c.changed_at)
    .limit(_MOST)
)
PURGE_STATUSES = Statement(
    sa.delete(statuses).where(
        sa.tuple_(statuses.c.project, statuses.c.sha, statuses.c.context).in_(_OLD_STATUSES)
    )
)


def _status(row: Row) -> StatusRecord:
    return StatusRecord(
        project=row[0],
        sha=row[1],
        context=row[2],
        state=CommitState(row[3]),
        description=row[4],
        ref=row[5],
        run=RunId(row[6]) if row[6] is not None else None,
        started_at=row[7],
        completed_at=row[8],
        changed_at=row[9],
        sequence=row[10],
        sent=row[11],
        waiting=bool(row[12]),
        claims=row[13],
        tries=row[14],
        next_at=row[15],
        reason=row[16],
    )


class SqlStatuses:
    """`StatusTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def get(self, project: str, sha: str, context: str, *, lock: bool = False) -> StatusRecord | None:
        """Return a status; see the port."""
        locking = lock and self._session.writing and self._session.kind == "postgresql"
        if locking:
            lock_name(self._session, f"status:{project}:{sha}:{context}")
        statement = LOCK_STATUS if locking else GET_STATUS
        row = self._session.one(statement, by_project=project, by_sha=sha, by_context=context)
        return None if row is None else _status(row)

    def put(self, status: StatusRecord) -> None:
        """Add or replace a status."""
        values = {name: getattr(status, name) for name in PUT_STATUS.columns or ()}
        values |= {"state": status.state.value, "waiting": int(status.waiting)}
        self._session.run(PUT_STATUS, **values)

    def claim(
        self, now: float, until: float, limit: int, busy: Collection[str] = ()
    ) -> tuple[StatusRecord, ...]:
        """Return what is to be sent now; see the port."""
        claimed: list[StatusRecord] = []
        for (project,) in self._session.all(STATUSES_OF, now=now):
            if project in busy or len(claimed) >= limit:
                continue
            row = self._session.one(STATUS_DUE, now=now, of=project)
            if row is not None:
                one = _status(row)
                self._session.run(
                    HOLD_STATUS, by_project=project, by_sha=one.sha, by_context=one.context, until=until
                )
                claimed.append(replace(one, next_at=until, claims=one.claims + 1))
        return tuple(claimed)

    def recent(self, project: str | None, sha: str | None, limit: int) -> tuple[StatusRecord, ...]:
        """Return the statuses that were set last."""
        statement = RECENT_STATUSES[project is not None, sha is not None]
        given = {"by_project": project, "by_sha": sha}
        params = {name: value for name, value in given.items() if value is not None}
        return tuple(map(_status, self._session.all(statement, most=limit, **params)))

    def purge(self, before: float, limit: int) -> int:
        """Remove old statuses."""
        return int(self._session.run(PURGE_STATUSES, before=before, most=limit).rowcount)


_DESTINATION = destinations.c.id == sa.bindparam("wanted")
_DESTINATION_COLUMNS = [column.name for column in destinations.c if column.name != "id"]
ADD_DESTINATION = _adding(destinations)
GET_DESTINATION = Statement(sa.select(destinations).where(_DESTINATION))
LOCK_DESTINATION = Statement(sa.select(destinations).where(_DESTINATION).with_for_update())
SAVE_DESTINATION = Statement(sa.update(destinations).where(_DESTINATION), _DESTINATION_COLUMNS)
ALL_DESTINATIONS = Statement(sa.select(destinations).order_by(destinations.c.id))
DESTINATIONS_OF = Statement(
    sa.select(destinations)
    .where(
        sa.or_(
            destinations.c.project == sa.bindparam("by_project"),
            destinations.c.project == sa.literal_column("''"),
        )
    )
    .order_by(destinations.c.id)
)
REMOVE_DESTINATION = Statement(sa.delete(destinations).where(_DESTINATION))
REMOVE_NOTICES = Statement(sa.delete(notices).where(notices.c.destination == sa.bindparam("wanted")))


def _destination(row: Row) -> DestinationRecord:
    return DestinationRecord(
        id=row[0],
        project=row[1],
        kind=DestinationKind(row[2]),
        target=row[3],
        topics=tuple(Topic(each) for each in row[4].split(" ") if each),
        told=Told(row[5]),
        secret=row[6],
        created_at=row[7],
        active=bool(row[8]),
        reason=row[9],
        failing_since=row[10],
    )


def _destination_values(destination: DestinationRecord) -> dict[str, Any]:
    values = {name: getattr(destination, name) for name in _DESTINATION_COLUMNS}
    return values | {
        "kind": destination.kind.value,
        "topics": " ".join(each.value for each in destination.topics),
        "told": destination.told.value,
        "active": int(destination.active),
    }


class SqlDestinations:
    """`DestinationTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def add(self, destination: DestinationRecord) -> DestinationRecord:
        """Store a destination."""
        row = self._session.one(ADD_DESTINATION, **_destination_values(destination))
        return replace(destination, id=row[0])

    def get(self, number: int, *, lock: bool = False) -> DestinationRecord | None:
        """Return a destination."""
        locking = lock and self._session.writing and self._session.kind == "postgresql"
        row = self._session.one(LOCK_DESTINATION if locking else GET_DESTINATION, wanted=number)
        return None if row is None else _destination(row)

    def save(self, destination: DestinationRecord) -> None:
        """Replace a destination."""
        values = _destination_values(destination)
        if self._session.run(SAVE_DESTINATION, wanted=destination.id, **values).rowcount != 1:
            raise InternalError(f"destination {destination.id} was saved, but is not stored")

    def of_project(self, project: str) -> tuple[DestinationRecord, ...]:
        """Return those of a project and of all."""
        return tuple(map(_destination, self._session.all(DESTINATIONS_OF, by_project=project)))

    def all(self) -> tuple[DestinationRecord, ...]:
        """Return all."""
        return tuple(map(_destination, self._session.all(ALL_DESTINATIONS)))

    def remove(self, number: int) -> None:
        """Remove a destination with its notices."""
        self._session.run(REMOVE_NOTICES, wanted=number)
        self._session.run(REMOVE_DESTINATION, wanted=number)


_NOTICE = notices.c.id == sa.bindparam("wanted")
_NOTICE_COLUMNS = [column.name for column in notices.c if column.name != "id"]
_EVERY_ID = 1 << 62
ADD_NOTICE = _adding(notices)
GET_NOTICE = Statement(sa.select(notices).where(_NOTICE))
LOCK_NOTICE = Statement(sa.select(notices).where(_NOTICE).with_for_update())
SAVE_NOTICE = Statement(sa.update(notices).where(_NOTICE), _NOTICE_COLUMNS)
NOTICES_OF, NOTICE_DUE = _due(notices, notices.c.destination, tables.NOTICE_WAITS)
HOLD_NOTICE = Statement(
    sa.update(notices)
    .where(_NOTICE)
    .values(next_at=sa.bindparam("until"), claims=notices.c.claims + sa.literal_column("1"))
)
_BEFORE = notices.c.id < sa.bindparam("before")
_OF = notices.c.destination == sa.bindparam("of")
RECENT_NOTICES = Statement(sa.select(notices).where(_BEFORE).order_by(notices.c.id.desc()).limit(_MOST))
RECENT_NOTICES_OF = Statement(
    sa.select(notices).where(_OF, _BEFORE).order_by(notices.c.id.desc()).limit(_MOST)
)
GIVE_UP = Statement(
    sa.update(notices)
    .where(_OF, sa.text(tables.NOTICE_WAITS))
    .values(state=sa.literal_column("'failed'"), done_at=_NOW, reason=sa.bindparam("because"))
)
PURGE_NOTICES = Statement(
    sa.delete(notices).where(
        notices.c.id.in_(
            sa.select(notices.c.id)
            .where(notices.c.done_at < sa.bindparam("before"))
            .order_by(notices.c.done_at)
            .limit(_MOST)
        )
    )
)


def _replies(stored: str) -> tuple[Reply, ...]:
    read = loads(stored)
    listed = read if isinstance(read, list) else []
    return tuple(from_plain(Reply, each, "reply", strict=False) for each in listed)


def _notice(row: Row) -> NoticeRecord:
    return NoticeRecord(
        id=row[0],
        destination=row[1],
        project=row[2],
        topic=Topic(row[3]),
        body=row[4],
        run=RunId(row[5]) if row[5] is not None else None,
        created_at=row[6],
        state=NoticeState(row[7]),
        claims=row[8],
        tries=row[9],
        next_at=row[10],
        done_at=row[11],
        reason=row[12],
        replies=_replies(row[13]),
        again=row[14],
    )


def _notice_values(notice: NoticeRecord) -> dict[str, Any]:
    values = {name: getattr(notice, name) for name in _NOTICE_COLUMNS}
    return values | {
        "topic": notice.topic.value,
        "state": notice.state.value,
        "replies": dumps(to_plain(notice.replies)),
    }


class SqlNotices:
    """`NoticeTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def add(self, notice: NoticeRecord) -> NoticeRecord:
        """Store a notice."""
        return replace(notice, id=self._session.one(ADD_NOTICE, **_notice_values(notice))[0])

    def get(self, number: int, *, lock: bool = False) -> NoticeRecord | None:
        """Return a notice."""
        locking = lock and self._session.writing and self._session.kind == "postgresql"
        row = self._session.one(LOCK_NOTICE if locking else GET_NOTICE, wanted=number)
        return None if row is None else _notice(row)

    def save(self, notice: NoticeRecord) -> None:
        """Replace a notice."""
        if self._session.run(SAVE_NOTICE, wanted=notice.id, **_notice_values(notice)).rowcount != 1:
            raise InternalError(f"notice {notice.id} was saved, but is not stored")

    def claim(
        self, now: float, until: float, limit: int, busy: Collection[int] = ()
    ) -> tuple[NoticeRecord, ...]:
        """Return what is to be sent now; see the port."""
        claimed: list[NoticeRecord] = []
        for (destination,) in self._session.all(NOTICES_OF, now=now):
            if destination in busy or len(claimed) >= limit:
                continue
            row = self._session.one(NOTICE_DUE, now=now, of=destination)
            if row is not None:
                one = _notice(row)
                self._session.run(HOLD_NOTICE, wanted=one.id, until=until)
                claimed.append(replace(one, next_at=until, claims=one.claims + 1))
        return tuple(claimed)

    def recent(
        self, destination: int | None, *, before: int | None = None, limit: int = 50
    ) -> tuple[NoticeRecord, ...]:
        """Return the newest notices."""
        params = {"before": _EVERY_ID if before is None else before, "most": limit}
        rows = (
            self._session.all(RECENT_NOTICES, **params)
            if destination is None
            else self._session.all(RECENT_NOTICES_OF, of=destination, **params)
        )
        return tuple(map(_notice, rows))

    def give_up(self, destination: int, now: float, reason: str) -> int:
        """Have what waits have failed."""
        return int(self._session.run(GIVE_UP, of=destination, now=now, because=reason).rowcount)

    def purge(self, before: float, limit: int) -> int:
        """Remove old notices."""
        return int(self._session.run(PURGE_NOTICES, before=before, most=limit).rowcount)


GET_STREAK = Statement(
    sa.select(streaks).where(
        streaks.c.project == sa.bindparam("by_project"),
        streaks.c.path == sa.bindparam("by_path"),
        streaks.c.ref == sa.bindparam("by_ref"),
    )
)
PUT_STREAK = upsert_into(streaks, ["project", "path", "ref"])
PURGE_STREAKS = Statement(
    sa.delete(streaks).where(
        sa.tuple_(streaks.c.project, streaks.c.path, streaks.c.ref).in_(
            sa.select(streaks.c.project, streaks.c.path, streaks.c.ref)
            .where(streaks.c.ended_at < sa.bindparam("before"))
            .order_by(streaks.c.ended_at)
            .limit(_MOST)
        )
    )
)


class SqlStreaks:
    """`StreakTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def get(self, project: str, path: str, ref: str) -> Streak | None:
        """Return a streak; see the port."""
        lock_name(self._session, f"streak:{project}:{path}:{ref}")
        row = self._session.one(GET_STREAK, by_project=project, by_path=path, by_ref=ref)
        if row is None:
            return None
        return Streak(
            project=row[0],
            path=row[1],
            ref=row[2],
            run=RunId(row[3]),
            number=row[4],
            failing_since=row[5],
            ended_at=row[6],
        )

    def put(self, streak: Streak) -> None:
        """Add or replace a streak."""
        self._session.run(PUT_STREAK, **{name: getattr(streak, name) for name in PUT_STREAK.columns or ()})

    def purge(self, before: float, limit: int) -> int:
        """Remove old streaks."""
        return int(self._session.run(PURGE_STREAKS, before=before, most=limit).rowcount)
