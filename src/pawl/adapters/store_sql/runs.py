"""The tables of runs, their events and their logs."""

from __future__ import annotations

from collections.abc import Sequence
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
    insert_of,
    loads,
    upsert_into,
)
from pawl.core.model.errors import InternalError
from pawl.core.model.ids import JobId, RunId
from pawl.core.model.plan import Json
from pawl.core.model.records import AttemptRef, LogRecord, NewRun, RunRecord, StoredEvent
from pawl.core.model.status import Conclusion, Status
from pawl.ports.store import RunFilter

runs, states, plans = tables.runs, tables.run_states, tables.run_plans

_COLUMNS = [column for column in runs.c if column.name != "last_event"]
_SETTABLE = [
    "run_name",
    "attempt",
    "status",
    "conclusion",
    "cancelling",
    "reason",
    "started_at",
    "completed_at",
    "source",
    "priority",
    "needs_attention",
]
_ID = runs.c.id == sa.bindparam("wanted")


def _number(kind: str) -> Built:
    table = tables.run_numbers
    first = {"repository": sa.bindparam("repository"), "path": sa.bindparam("path"), "last": 1}
    counting: Built = (
        insert_of(kind, table)
        .values(**first)
        .on_conflict_do_update(index_elements=["repository", "path"], set_={"last": table.c.last + 1})
        .returning(table.c.last)
    )
    return counting


NEXT_NUMBER = Statement(_number)
ADD = Statement(sa.insert(runs).returning(runs.c.id), [c.name for c in runs.c if c.name != "id"])
ADD_STATE = insert_into(states)
ADD_PLAN = insert_into(plans)
GET = Statement(sa.select(*_COLUMNS).where(_ID))
GET_BOTH = Statement(
    sa.select(*_COLUMNS, states.c.state).join_from(runs, states, states.c.run == runs.c.id).where(_ID)
)
LOCK = Statement(sa.select(runs.c.id).where(_ID).with_for_update())
GET_STATE = Statement(sa.select(states.c.state).where(states.c.run == sa.bindparam("wanted")))
GET_PLAN = Statement(sa.select(plans.c.plan).where(plans.c.run == sa.bindparam("wanted")))
SAVE = Statement(sa.update(runs).where(_ID), _SETTABLE)
SAVE_STATE = Statement(sa.update(states).where(states.c.run == sa.bindparam("wanted")), ["state"])
UNFINISHED = Statement(sa.select(runs.c.id).where(sa.text(tables.UNFINISHED)).order_by(runs.c.id))
COMPLETED_BEFORE = Statement(
    sa.select(runs.c.id)
    .where(runs.c.completed_at < sa.bindparam("time"))
    .order_by(runs.c.completed_at, runs.c.id)
    .limit(sa.bindparam("most"))
)
DELETE = Statement(sa.delete(runs).where(_ID))

_FILTERS = ("repository", "ref", "event", "actor", "path", "status", "conclusion", "before")
_finds: dict[tuple[str, ...], Statement] = {}


def _find(names: tuple[str, ...]) -> Statement:
    """Return the statement that lists runs by these fields of a filter; there are few in use."""
    known = _finds.get(names)
    if known is None:
        query = sa.select(*_COLUMNS).order_by(runs.c.id.desc()).limit(sa.bindparam("most"))
        for name in names:
            value: sa.BindParameter[Any] = sa.bindparam(f"by_{name}")
            query = query.where(runs.c.id < value if name == "before" else runs.c[name] == value)
        known = _finds[names] = Statement(query)
    return known


def _run(row: Row) -> RunRecord:
    return RunRecord(
        id=RunId(row[0]),
        number=row[1],
        repository=row[2],
        path=row[3],
        name=row[4],
        run_name=row[5],
        event=row[6],
        ref=row[7],
        sha=row[8],
        actor=row[9],
        correlation=row[10],
        created_at=row[11],
        attempt=row[12],
        status=Status(row[13]),
        conclusion=None if row[14] is None else Conclusion(row[14]),
        cancelling=bool(row[15]),
        reason=row[16],
        started_at=row[17],
        completed_at=row[18],
        source=row[19],
        priority=row[20],
        needs_attention=row[21],
    )


class SqlRuns:
    """`RunTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def add(self, run: NewRun) -> RunRecord:
        """Store a run; see the port."""
        session = self._session
        number: int = session.one(NEXT_NUMBER, repository=run.repository, path=run.path)[0]
        values: dict[str, Any] = {name: getattr(run, name) for name in _NEW}
        made = session.one(
            ADD,
            **values,
            number=number,
            attempt=1,
            status=Status.QUEUED.value,
            conclusion=None,
            cancelling=0,
            reason="",
            started_at=None,
            completed_at=None,
            needs_attention="",
            last_event=0,
        )
        session.run(ADD_PLAN, run=made[0], plan=dumps(run.plan))
        session.run(ADD_STATE, run=made[0], state=dumps(run.state))
        return RunRecord(id=RunId(made[0]), number=number, **values)

    def get(self, run: RunId) -> RunRecord | None:
        """Return a run's record."""
        row = self._session.one(GET, wanted=run)
        return None if row is None else _run(row)

    def lock(self, run: RunId) -> tuple[RunRecord, Json] | None:
        """Return record and state, and keep others from them."""
        if self._session.writing and self._session.kind == "postgresql":
            # By itself: a statement that waited for a lock would show the other rows as they were before.
            self._session.run(LOCK, wanted=run)
        row = self._session.one(GET_BOTH, wanted=run)
        return None if row is None else (_run(row), loads(row[22]))

    def state(self, run: RunId) -> Json:
        """Return the lifecycle state."""
        row = self._session.one(GET_STATE, wanted=run)
        return None if row is None else loads(row[0])

    def plan(self, run: RunId) -> Json:
        """Return the plan."""
        row = self._session.one(GET_PLAN, wanted=run)
        return None if row is None else loads(row[0])

    def save(self, record: RunRecord, state: Json) -> None:
        """Replace record and state."""
        values = {name: getattr(record, name) for name in _SETTABLE}
        values["status"] = record.status.value
        values["conclusion"] = None if record.conclusion is None else record.conclusion.value
        values["cancelling"] = int(record.cancelling)
        if self._session.run(SAVE, wanted=record.id, **values).rowcount != 1:
            raise InternalError(f"run {record.id} was saved, but is not stored")
        self._session.run(SAVE_STATE, wanted=record.id, state=dumps(state))

    def find(self, wanted: RunFilter, limit: int) -> tuple[RunRecord, ...]:
        """Return the newest runs that fit."""
        by = {name: value for name in _FILTERS if (value := getattr(wanted, name)) is not None}
        params = {f"by_{name}": str(value) if name != "before" else value for name, value in by.items()}
        return tuple(_run(row) for row in self._session.all(_find(tuple(by)), most=limit, **params))

    def unfinished(self) -> tuple[RunId, ...]:
        """Return what is not completed."""
        return tuple(RunId(row[0]) for row in self._session.all(UNFINISHED))

    def completed_before(self, time: float, limit: int) -> tuple[RunId, ...]:
        """Return what was completed before `time`."""
        return tuple(RunId(row[0]) for row in self._session.all(COMPLETED_BEFORE, time=time, most=limit))

    def delete(self, run: RunId) -> None:
        """Remove a run; the database removes what belongs to it."""
        self._session.run(DELETE, wanted=run)


_NEW = (
    "repository",
    "path",
    "name",
    "run_name",
    "event",
    "ref",
    "sha",
    "actor",
    "correlation",
    "created_at",
    "source",
    "priority",
)

events = tables.events
COUNT_EVENTS = Statement(
    sa.update(runs)
    .where(_ID)
    .values(last_event=runs.c.last_event + sa.bindparam("more"))
    .returning(runs.c.last_event)
)
ADD_EVENT = insert_into(events)
READ_EVENTS = Statement(
    sa.select(events.c.run, events.c.sequence, events.c.time, events.c.event)
    .where(events.c.run == sa.bindparam("wanted"), events.c.sequence > sa.bindparam("after"))
    .order_by(events.c.sequence)
    .limit(sa.bindparam("most"))
)
LAST_EVENT = Statement(sa.select(runs.c.last_event).where(_ID))


class SqlEvents:
    """`EventTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def append(self, run: RunId, events: Sequence[Json], time: float) -> int:
        """Store events; counting them locks the run, so numbers have no gap."""
        row = self._session.one(COUNT_EVENTS, wanted=run, more=len(events))
        if row is None:
            raise InternalError(f"events were told of run {run}, which is not stored")
        last: int = row[0]
        for sequence, event in enumerate(events, last - len(events) + 1):
            self._session.run(ADD_EVENT, run=run, sequence=sequence, time=time, event=dumps(event))
        if events:
            self._session.topics.add(f"run:{run}")
        return last

    def read(self, run: RunId, *, after: int = 0, limit: int = 1000) -> tuple[StoredEvent, ...]:
        """Return events in order."""
        return tuple(
            StoredEvent(run=RunId(row[0]), sequence=row[1], time=row[2], event=loads(row[3]))
            for row in self._session.all(READ_EVENTS, wanted=run, after=after, most=limit)
        )

    def last(self, run: RunId) -> int:
        """Return the last number."""
        row = self._session.one(LAST_EVENT, wanted=run)
        return 0 if row is None else int(row[0])


logs = tables.logs
PUT_LOG = upsert_into(logs, ["run", "job", "attempt", "step"])
_LOGS = sa.select(logs).where(logs.c.run == sa.bindparam("wanted"))
_OF_JOB = _LOGS.where(logs.c.job == sa.bindparam("by_job"))
LOGS_OF_RUN = Statement(_LOGS.order_by(logs.c.job, logs.c.attempt, logs.c.step))
LOGS_OF_JOB = Statement(_OF_JOB.order_by(logs.c.attempt, logs.c.step))
LOGS_OF_ATTEMPT = Statement(_OF_JOB.where(logs.c.attempt == sa.bindparam("by_attempt")).order_by(logs.c.step))


def _log(row: Row) -> LogRecord:
    return LogRecord(
        attempt=AttemptRef(run=RunId(row[0]), job=JobId(row[1]), attempt=row[2]),
        index=row[3],
        name=row[4],
        size=row[5],
        lines=row[6],
        sha256=row[7],
        dropped=row[8],
        note=row[9],
        finished=bool(row[10]),
    )


class SqlLogs:
    """`LogTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def put(self, log: LogRecord) -> None:
        """Store or replace a log's record."""
        self._session.run(
            PUT_LOG,
            run=log.attempt.run,
            job=log.attempt.job,
            attempt=log.attempt.attempt,
            step=log.index,
            name=log.name,
            size=log.size,
            lines=log.lines,
            sha256=log.sha256,
            dropped=log.dropped,
            note=log.note,
            finished=int(log.finished),
        )

    def of_attempt(self, ref: AttemptRef) -> tuple[LogRecord, ...]:
        """Return the logs of an attempt."""
        rows = self._session.all(LOGS_OF_ATTEMPT, wanted=ref.run, by_job=ref.job, by_attempt=ref.attempt)
        return tuple(map(_log, rows))

    def of_run(self, run: RunId, job: JobId | None = None) -> tuple[LogRecord, ...]:
        """Return the logs of a run or one of its jobs."""
        if job is None:
            return tuple(map(_log, self._session.all(LOGS_OF_RUN, wanted=run)))
        return tuple(map(_log, self._session.all(LOGS_OF_JOB, wanted=run, by_job=job)))
