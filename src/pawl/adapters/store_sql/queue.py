"""The queue: attempts and their lease, and the concurrency groups."""

from __future__ import annotations

import functools
from typing import Any

import sqlalchemy as sa

from pawl.adapters.store_sql import tables
from pawl.adapters.store_sql.session import (
    Built,
    Row,
    Session,
    Statement,
    dumps,
    insert_into,
    loads,
    upsert_into,
)
from pawl.core.model.errors import InternalError
from pawl.core.model.ids import Epoch, JobId, JobKey, RunId, WorkerId
from pawl.core.model.records import AttemptRecord, AttemptRef, AttemptState, GroupMember
from pawl.core.model.status import Conclusion, FailureClass
from pawl.ports.store import LeaseOffer

attempts = tables.attempts

_COLUMNS = [column for column in attempts.c if column.name != "id"]
_KEYS = ("run", "job", "attempt")
_ORDER = (attempts.c.queue_key, attempts.c.run, attempts.c.job, attempts.c.attempt)
_REF = (
    attempts.c.run == sa.bindparam("by_run"),
    attempts.c.job == sa.bindparam("by_job"),
    attempts.c.attempt == sa.bindparam("by_attempt"),
)
SLACK = 32
"""So many more candidates a lease looks at on PostgreSQL, as others may be about to take the first ones."""

ADD = insert_into(attempts, "id")
GET = Statement(sa.select(*_COLUMNS).where(*_REF))
LOCK = Statement(sa.select(*_COLUMNS).where(*_REF).with_for_update())
SAVE = Statement(sa.update(attempts).where(*_REF), [c.name for c in _COLUMNS if c.name not in _KEYS])
OF_RUN = Statement(
    sa.select(*_COLUMNS)
    .where(attempts.c.run == sa.bindparam("by_run"))
    .order_by(attempts.c.job, attempts.c.attempt)
)
OF_WORKER = Statement(
    sa.select(*_COLUMNS)
    .where(sa.text(tables.HELD), attempts.c.worker == sa.bindparam("by_worker"))
    .order_by(attempts.c.run, attempts.c.job, attempts.c.attempt)
)
QUEUED = Statement(
    sa.select(*_COLUMNS).where(sa.text(tables.LISTED)).order_by(*_ORDER).limit(sa.bindparam("most"))
)
LIVE = Statement(
    sa.select(*_COLUMNS)
    .where(sa.text(tables.HELD))
    .order_by(attempts.c.deadline, attempts.c.run, attempts.c.job, attempts.c.attempt)
)
LAPSED = Statement(
    sa.select(*_COLUMNS)
    .where(sa.text(tables.OPEN), attempts.c.deadline < sa.bindparam("now"))
    .order_by(attempts.c.deadline, attempts.c.run, attempts.c.job, attempts.c.attempt)
    .limit(sa.bindparam("most"))
)
_IS_BLOCKED: sa.ColumnClause[bool] = sa.literal_column("blocked <> ''")
COUNTS = Statement(
    sa.select(attempts.c.state, _IS_BLOCKED, sa.func.count())
    .where(sa.text(tables.OPEN))
    .group_by(attempts.c.state, _IS_BLOCKED)
)


def _kinds() -> Built:
    """Build what returns each set of labels in the queue, with the place of its first attempt.

    It steps from one set to the next in the index, so it costs by how many sets there are, not by how many
    attempts.
    """
    ready = sa.text(tables.QUEUEABLE)
    first = sa.select(sa.func.min(attempts.c.requires).label("requires")).where(ready)
    kinds = first.cte("kinds", recursive=True)
    following = (
        sa.select(sa.func.min(attempts.c.requires))
        .where(ready, attempts.c.requires > kinds.c.requires)
        .scalar_subquery()
    )
    kinds = kinds.union_all(sa.select(following).where(kinds.c.requires.is_not(None)))
    head = (
        sa.select(attempts.c.queue_key)
        .where(ready, attempts.c.requires == kinds.c.requires, _AVAILABLE)
        .order_by(*_ORDER)
        .limit(sa.literal_column("1"))
        .scalar_subquery()
    )
    return sa.select(kinds.c.requires, head).where(kinds.c.requires.is_not(None))


_AVAILABLE = attempts.c.available_at <= sa.bindparam("now")
KINDS = Statement(_kinds())


@functools.lru_cache(maxsize=512)
def lease_of(sets: int) -> Statement:
    """Return the statement that leases the first attempts that ask for one of so many sets of labels."""
    return Statement(lambda kind: _build_lease(sets, kind))


def _build_lease(sets: int, kind: str) -> Built:
    ready = sa.text(tables.QUEUEABLE)
    firsts = [
        sa.select(attempts.c.id, *_ORDER)
        .where(ready, attempts.c.requires == sa.bindparam(f"requires{number}"), _AVAILABLE)
        .order_by(*_ORDER)
        .limit(sa.bindparam("candidates"))
        .subquery(f"first{number}")
        for number in range(sets)
    ]
    found = sa.union_all(*(sa.select(first) for first in firsts)).subquery("found")
    if kind == "postgresql":
        # What others hold is passed over; the conditions are looked at again on what was locked. They are
        # said so that no index fits them: the rows are to be found by their ids, even where PostgreSQL takes
        # the queue for short because it has not counted it yet.
        ids = sa.func.array(sa.select(found.c.id).scalar_subquery())
        chosen = (
            sa.select(attempts.c.id)
            .where(attempts.c.id == sa.any_(ids), sa.text("state || blocked = 'queued' AND cancel IS NULL"))
            .order_by(*_ORDER)
            .limit(sa.bindparam("most"))
            .with_for_update(skip_locked=True)
        )
    else:
        order = (found.c.queue_key, found.c.run, found.c.job, found.c.attempt)
        chosen = sa.select(found.c.id).order_by(*order).limit(sa.bindparam("most"))
    return (
        sa.update(attempts)
        .where(attempts.c.id.in_(chosen))
        .values(
            state=sa.literal_column("'leased'"),
            epoch=attempts.c.epoch + sa.literal_column("1"),
            worker=sa.bindparam("by_worker"),
            leased_at=sa.bindparam("now"),
            deadline=sa.bindparam("until"),
        )
        .returning(*_COLUMNS)
    )


@functools.lru_cache(maxsize=4096)
def _labels(requires: str) -> tuple[str, ...]:
    labels = loads(requires)
    return tuple(map(str, labels)) if isinstance(labels, list) else ()


def _values(attempt: AttemptRecord) -> dict[str, Any]:
    """Return an attempt's row, but for what names it."""
    return {
        "key": attempt.key,
        "name": attempt.name,
        "repository": attempt.repository,
        "state": attempt.state.value,
        "requires": dumps(list(attempt.requires)),
        "queue_key": attempt.queue_key,
        "queued_at": attempt.queued_at,
        "available_at": attempt.available_at,
        "payload": dumps(attempt.payload),
        "blocked": attempt.blocked,
        "group_name": attempt.group,
        "deadline": attempt.deadline,
        "epoch": attempt.epoch,
        "leases": attempt.leases,
        "worker": attempt.worker,
        "leased_at": attempt.leased_at,
        "started_at": attempt.started_at,
        "finished_at": attempt.finished_at,
        "cancel": attempt.cancel,
        "cancel_at_once": int(attempt.cancel_at_once),
        "conclusion": None if attempt.conclusion is None else attempt.conclusion.value,
        "reason": attempt.reason,
        "failure_class": None if attempt.failure_class is None else attempt.failure_class.value,
        "exit_code": attempt.exit_code,
        "result_key": attempt.result_key,
        "log_note": attempt.log_note,
    }


def _attempt(row: Row) -> AttemptRecord:
    return AttemptRecord(
        ref=AttemptRef(run=RunId(row[0]), job=JobId(row[1]), attempt=row[2]),
        key=JobKey(row[3]),
        name=row[4],
        repository=row[5],
        state=AttemptState(row[6]),
        requires=_labels(row[7]),
        queue_key=row[8],
        queued_at=row[9],
        available_at=row[10],
        payload=loads(row[11]),
        blocked=row[12],
        group=row[13],
        deadline=row[14],
        epoch=Epoch(row[15]),
        leases=row[16],
        worker=None if row[17] is None else WorkerId(row[17]),
        leased_at=row[18],
        started_at=row[19],
        finished_at=row[20],
        cancel=row[21],
        cancel_at_once=bool(row[22]),
        conclusion=None if row[23] is None else Conclusion(row[23]),
        reason=row[24],
        failure_class=None if row[25] is None else FailureClass(row[25]),
        exit_code=row[26],
        result_key=row[27],
        log_note=row[28],
    )


def _place(row: Row) -> tuple[float, int, str, int]:
    """Return a row's place in the queue."""
    return (row[8], row[0], row[1], row[2])


class SqlAttempts:
    """`AttemptTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def add(self, attempt: AttemptRecord) -> None:
        """Store a new attempt."""
        ref = attempt.ref
        self._session.run(ADD, run=ref.run, job=ref.job, attempt=ref.attempt, **_values(attempt))

    def get(self, ref: AttemptRef, *, lock: bool = False) -> AttemptRecord | None:
        """Return an attempt."""
        statement = LOCK if lock and self._session.writing else GET
        row = self._session.one(statement, by_run=ref.run, by_job=ref.job, by_attempt=ref.attempt)
        return None if row is None else _attempt(row)

    def save(self, attempt: AttemptRecord) -> None:
        """Replace an attempt."""
        ref = attempt.ref
        done = self._session.run(
            SAVE, by_run=ref.run, by_job=ref.job, by_attempt=ref.attempt, **_values(attempt)
        )
        if done.rowcount != 1:
            raise InternalError(f"{ref} was saved, but is not stored")

    def lease(self, offer: LeaseOffer) -> tuple[AttemptRecord, ...]:
        """Lease the first attempts the worker can take.

        The first `limit` attempts ask for at most `limit` different sets of labels: those whose first
        attempt comes first. So only these are looked through.
        """
        kinds = [
            (head, requires)
            for requires, head in self._session.all(KINDS, now=offer.now)
            if head is not None and offer.labels.issuperset(_labels(requires))
        ]
        if not kinds or offer.limit < 1:
            return ()
        kinds.sort()
        slack = SLACK if self._session.kind == "postgresql" else 0
        sets = {f"requires{number}": kind[1] for number, kind in enumerate(kinds[: offer.limit + slack])}
        rows = self._session.all(
            lease_of(len(sets)),
            **sets,
            candidates=offer.limit + slack,
            most=offer.limit,
            now=offer.now,
            until=offer.deadline,
            by_worker=offer.worker,
        )
        return tuple(map(_attempt, sorted(rows, key=_place)))

    def of_run(self, run: RunId) -> tuple[AttemptRecord, ...]:
        """Return all attempts of a run."""
        return tuple(map(_attempt, self._session.all(OF_RUN, by_run=run)))

    def of_worker(self, worker: WorkerId) -> tuple[AttemptRecord, ...]:
        """Return what a worker holds."""
        return tuple(map(_attempt, self._session.all(OF_WORKER, by_worker=worker)))

    def queued(self, limit: int) -> tuple[AttemptRecord, ...]:
        """Return the queue."""
        return tuple(map(_attempt, self._session.all(QUEUED, most=limit)))

    def live(self) -> tuple[AttemptRecord, ...]:
        """Return what is leased or running."""
        return tuple(map(_attempt, self._session.all(LIVE)))

    def lapsed(self, now: float, limit: int) -> tuple[AttemptRecord, ...]:
        """Return what is past its deadline."""
        return tuple(map(_attempt, self._session.all(LAPSED, now=now, most=limit)))

    def counts(self) -> dict[str, int]:
        """Return how many attempts are in which state."""
        counted = dict.fromkeys(("queued", "blocked", "leased", "running"), 0)
        for state, blocked, count in self._session.all(COUNTS):
            counted["blocked" if state == "queued" and blocked else state] += count
        return counted


members = tables.group_members
_MEMBER = sa.select(members.c.group_name, members.c.run, members.c.job, members.c.active, members.c.since)
MEMBERS = Statement(
    _MEMBER.where(members.c.group_name == sa.bindparam("by_group")).order_by(members.c.since, members.c.id)
)
MEMBERS_OF_RUN = Statement(
    _MEMBER.where(members.c.run == sa.bindparam("by_run")).order_by(members.c.since, members.c.id)
)
PUT_MEMBER = upsert_into(members, ["group_name", "run", "job"], "id")
REMOVE_MEMBER = Statement(
    sa.delete(members).where(
        members.c.group_name == sa.bindparam("by_group"),
        members.c.run == sa.bindparam("by_run"),
        members.c.job == sa.bindparam("by_job"),
    )
)
LOCK_NAME = Statement(
    sa.select(
        sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sa.bindparam("lock_name", type_=sa.Text), 0))
    )
)
"""PostgreSQL: keeps others from a name until the transaction's end, even where there is no row yet."""


def lock_name(session: Session, name: str) -> None:
    """Keep others from `name` until the transaction's end; on SQLite nobody else writes anyway."""
    if session.writing and session.kind == "postgresql":
        session.run(LOCK_NAME, lock_name=name)


def _member(row: Row) -> GroupMember:
    return GroupMember(
        group=row[0],
        run=RunId(row[1]),
        job=JobId(row[2]) if row[2] else None,
        active=bool(row[3]),
        since=row[4],
    )


class SqlGroups:
    """`GroupTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def members(self, group: str) -> tuple[GroupMember, ...]:
        """Return a group's members, and keep others from it."""
        lock_name(self._session, f"group:{group}")
        return tuple(map(_member, self._session.all(MEMBERS, by_group=group)))

    def put(self, member: GroupMember) -> None:
        """Add or replace a member."""
        self._session.run(
            PUT_MEMBER,
            group_name=member.group,
            run=member.run,
            job=member.job or "",
            active=int(member.active),
            since=member.since,
        )

    def remove(self, group: str, run: RunId, job: JobId | None) -> None:
        """Remove a member."""
        self._session.run(REMOVE_MEMBER, by_group=group, by_run=run, by_job=job or "")

    def of_run(self, run: RunId) -> tuple[GroupMember, ...]:
        """Return a run's memberships."""
        return tuple(map(_member, self._session.all(MEMBERS_OF_RUN, by_run=run)))
