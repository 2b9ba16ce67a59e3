"""The listener that writes what is to be told, in the transaction of the change itself (I32)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pawl.core.lifecycle import RunState
from pawl.core.model.forge import ForgeKind
from pawl.core.model.ids import RunId
from pawl.core.model.plan import Json
from pawl.core.model.projects import Project
from pawl.core.model.records import AttemptRecord, RunRecord
from pawl.core.model.reporting import DestinationRecord, NoticeRecord, StatusRecord, Topic
from pawl.core.model.status import Status
from pawl.engine.control.listening import RunSeen
from pawl.engine.reporting import bodies
from pawl.engine.reporting.lines import Line, commit_of, lines_of, ref_of
from pawl.engine.reporting.rules import ReportingRules
from pawl.engine.reporting.streaks import News, follow, is_told
from pawl.ports.store import Transaction

STATUSES = "statuses"
NOTICES = "notices"
"""The topics that are told when there is something to send."""

_FAULTS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a mistake in here raises: it costs a notice, not the run. A store that fails raises other things."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where statuses go: a project's commit; whose they are."""

    project: str
    sha: str
    ref: str = ""
    run: RunId | None = None


class Reporter:
    """`Listener`: keeps the outboxes of statuses and notices."""

    def __init__(self, rules: ReportingRules, on_fault: Callable[[Exception], None] | None = None) -> None:
        """Take the rules, and whom to tell of a mistake in here; nobody is told when left out."""
        self._rules = rules
        self._on_fault = on_fault

    def on_run(self, tx: Transaction, seen: RunSeen, now: float) -> None:
        """Write the statuses and notices of a run's change."""
        for write in (self._write_statuses, self._write_notices):
            try:
                write(tx, seen, now)
            except _FAULTS as error:
                if self._on_fault is None:
                    raise
                self._on_fault(error)

    def on_lost_worker(self, tx: Transaction, attempt: AttemptRecord, now: float) -> None:
        """Write the notices of a lost worker."""
        told = bodies.lost_body(attempt, now, self._rules.link(attempt.ref.run))
        identity = f"{attempt.ref.run}.{attempt.ref.job}.{attempt.ref.attempt}.{attempt.epoch}"
        wanting = _wanting(tx.destinations.of_project(attempt.repository), Topic.WORKER_LOST)
        for destination in wanting:
            _add(tx, destination, Topic.WORKER_LOST, told, identity, now, run=attempt.ref.run)

    def _write_statuses(self, tx: Transaction, seen: RunSeen, now: float) -> None:
        event, record = seen.plan.event, seen.record
        sha = commit_of(event)
        if not sha or event.provider not in _REPORTING or not _may_differ(seen):
            return
        project = tx.projects.get(record.repository)
        if project is None or not _reports(project, event.provider):
            return
        begins = seen.before is None or record.attempt > seen.before.attempt
        new = lines_of(record, seen.state, project.context)
        old: Mapping[str, Line] = {}
        if seen.before is not None and seen.state_before is not None and not begins:
            old = lines_of(seen.before, seen.state_before, project.context)
        place = Place(project=project.name, sha=sha, ref=ref_of(event), run=record.id)
        for context, line in new.items():
            if old.get(context) != line:
                set_status(tx, place, context, line, now, begins=begins)

    def _write_notices(self, tx: Transaction, seen: RunSeen, now: float) -> None:
        happened = tuple(_happened(seen))
        if not happened:
            return
        run = seen.record
        destinations = tx.destinations.of_project(run.repository)
        if not destinations:
            return
        url = self._rules.link(run.id)
        for topic, event in happened:
            news = _followed(tx, run) if topic is Topic.RUN_COMPLETED else None
            body = (
                bodies.run_body(topic, run, now, url, news)
                if event is None
                else bodies.job_body(run, event, now, url)
            )
            identity = f"{run.id}.{run.attempt}" + (f".{event.get('job')}" if event is not None else "")
            for destination in _wanting(destinations, topic):
                if news is None or is_told(destination.told, run.conclusion, news):
                    _add(tx, destination, topic, body, identity, now, run=run.id)


_REPORTING = frozenset(kind.value for kind in ForgeKind if kind is not ForgeKind.GENERIC)
"""Forges that take statuses. A run asked for by hand has no status at any commit: whoever may start runs
could otherwise say there what they like."""


def _reports(project: Project, provider: str) -> bool:
    return project.active and project.forge.value == provider


def _may_differ(seen: RunSeen) -> bool:
    return seen.before != seen.record or seen.state_before is not seen.state


def set_status(tx: Transaction, place: Place, context: str, line: Line, now: float, *, begins: bool) -> None:
    """Set the newest state under a name, to be sent.

    Several runs may use one name (a push and a pull request of the same commit): the one that began last has
    it. A workflow that a filter kept out has it only where no run has.

    Args:
        tx: the transaction of the change.
        place: where it stands.
        context: the name.
        line: what stands there.
        now: seconds since 1970.
        begins: whether the run begins with this, for the first time or again.
    """
    known = tx.statuses.get(place.project, place.sha, context, lock=True)
    if known is not None and (place.run is None or not (begins or known.run == place.run)):
        return
    status = StatusRecord(
        project=place.project,
        sha=place.sha,
        context=context,
        state=line.state,
        description=line.description,
        ref=place.ref,
        run=place.run,
        started_at=line.started_at,
        completed_at=line.completed_at,
        changed_at=now,
    )
    if known is not None:
        status = replace(status, sequence=known.sequence + 1, sent=known.sent, claims=known.claims)
        if known.waiting:  # being sent, or its forge is away: nothing is gained by asking that sooner
            status = replace(status, tries=known.tries, next_at=known.next_at, reason=known.reason)
    tx.statuses.put(status)
    tx.notify(STATUSES)


_NOT_BEGUN = frozenset({Status.WAITING, Status.QUEUED})


def _happened(seen: RunSeen) -> Iterator[tuple[Topic, Mapping[str, Json] | None]]:
    before, run = seen.before, seen.record
    again = before is not None and run.attempt > before.attempt
    if before is None:
        yield Topic.RUN_CREATED, None
    was_waiting = before is None or again or before.status in _NOT_BEGUN
    if seen.state_before is not None and not again and _has_begun(seen.state_before):
        was_waiting = False  # for approval, in the middle of the run
    if was_waiting and run.started_at is not None and run.status not in _NOT_BEGUN:
        yield Topic.RUN_STARTED, None
    for event in seen.told:
        if isinstance(event, dict) and event.get("type") == "job_finished":
            yield Topic.JOB_COMPLETED, event
    if run.conclusion is not None and (before is None or before.conclusion is None):
        yield Topic.RUN_COMPLETED, None


def _has_begun(state: RunState) -> bool:
    """Return whether a job of a run began since the run was started, for the first time or again."""
    since = state.started_at
    jobs = (job for group in state.groups.values() for job in group.jobs or ())
    return since is not None and any(job.started_at is not None and job.started_at >= since for job in jobs)


def _followed(tx: Transaction, run: RunRecord) -> News:
    news, streak = follow(tx.streaks.get(run.repository, run.path, run.ref), run)
    if streak is not None:
        tx.streaks.put(streak)
    return news


def _wanting(destinations: Sequence[DestinationRecord], topic: Topic) -> Iterator[DestinationRecord]:
    return (each for each in destinations if each.active and topic in each.topics)


def _add(
    tx: Transaction,
    destination: DestinationRecord,
    topic: Topic,
    body: Mapping[str, Json],
    identity: str,
    now: float,
    *,
    run: RunId | None,
) -> None:
    tx.notices.add(
        NoticeRecord(
            destination=destination.id,
            topic=topic,
            body=bodies.written(body, f"{topic.value}.{identity}.{destination.id}"),
            project=str(body.get("repository") or ""),
            run=run,
            created_at=now,
        )
    )
    tx.notify(NOTICES)
