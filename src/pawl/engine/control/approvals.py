"""Deciding what waits for approval: people approve and reject, time lets in and gives up.

Each decision, what it sets going and its entry in the audit log are one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pawl.core.approvals.environments import Standing, needs_person, reviewer_refusal, standing
from pawl.core.lifecycle import JobAdmitted, JobRefused, RunReleased
from pawl.core.model.approvals import WHOLE_RUN, Approval, ApprovalState, same_name
from pawl.core.model.errors import Conflict, Denied, NotFound, UsageError
from pawl.core.model.ids import JobId, RunId
from pawl.core.model.status import Conclusion
from pawl.engine.control import gates, triggering
from pawl.engine.control.audit import note
from pawl.engine.control.desk import Desk
from pawl.engine.control.marks import mark
from pawl.engine.control.moment import Moment
from pawl.engine.control.transitions import Changes, RunChange
from pawl.ports.store import Transaction

LONGEST_COMMENT = 2000
MOST_LISTED = 1000
_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody says to something that waits.

    Attributes:
        environment: which; `WHOLE_RUN` for a run from a fork. There is no "whatever waits": said again, that
            would be about the next thing that waits.
        approve: or reject.
        by: who says so: the name of their token.
        attempt: the start of the run that they looked at; None for the one there is.
    """

    run: RunId
    approve: bool
    by: str
    environment: str = WHOLE_RUN
    comment: str = ""
    attempt: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What came of a decision; `repeated` when the same had been decided before."""

    approval: Approval
    repeated: bool = False


class Approvals:
    """What waits for approval on a server, and what was decided."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def waiting(self, limit: int = MOST_LISTED) -> tuple[Approval, ...]:
        """Return what waits, by run; at most `MOST_LISTED`."""
        most = max(0, min(limit, MOST_LISTED))
        return await self._desk.read(lambda tx: tx.approvals.waiting(most))

    async def of_run(self, run: RunId) -> tuple[Approval, ...]:
        """Return all approvals of a run: who approved what, or which rule exempted it.

        Raises:
            NotFound: there is no such run.
        """

        def look(tx: Transaction) -> tuple[Approval, ...]:
            if tx.runs.get(run) is None:
                raise NotFound(f"there is no run {run}", hint="`pawl runs` lists them")
            return tx.approvals.of_run(run)

        return await self._desk.read(look)

    async def decide(self, decision: Decision) -> Decided:
        """Approve or reject, and return what came of it. Saying the same again changes nothing.

        What is decided about a run from a fork is decided about its commit: it holds for all runs that wait
        because of the same commit of the same request.

        Raises:
            NotFound: there is no such run, or nothing of it waits for that.
            Conflict: it was decided otherwise, given up or withdrawn, or the run was started again.
            Denied: this one may not decide it.
            UsageError: the comment is too long or cannot be shown.
        """
        if len(decision.comment) > LONGEST_COMMENT or not _fit(decision.comment):
            raise UsageError(f"a comment has at most {LONGEST_COMMENT} characters, all of which can be shown")
        return await self._desk.write(lambda tx, moment: decide(tx, decision, moment))


def _fit(comment: str) -> bool:
    return all(char.isprintable() or char in "\n\t" for char in comment)


def decide(tx: Transaction, decision: Decision, moment: Moment) -> Decided:
    """Carry out a decision; see `Approvals.decide`."""
    _lock(tx, decision.run)
    changes = Changes(tx, moment)
    change = changes.of(decision.run)
    found = _wanted(change, decision)
    wished = ApprovalState.APPROVED if decision.approve else ApprovalState.REJECTED
    if not needs_person(found) or found.state is not ApprovalState.WAITING:
        return _again(found, decision, wished)
    _refuse_others(change, found, decision.by)
    decided = replace(found, decided_at=moment.now, decided_by=decision.by, comment=decision.comment)
    settled = _settle(change, decided, approved=decision.approve)
    for other in _of_the_same_commit(tx, found):
        same = replace(other, decided_at=moment.now, decided_by=decision.by, comment=decision.comment)
        _settle(changes.of(other.run), same, approved=decision.approve)
    word = "approve" if decision.approve else "reject"
    mark(f"approval.{word}")
    note(tx, moment, by=decision.by, action=f"approval.{word}", target=_target(decided))
    changes.save()
    return Decided(approval=settled)


def _lock(tx: Transaction, run: RunId) -> None:
    """Keep out whoever is about to ask or to decide about the same commit, before any run is locked."""
    for each in tx.approvals.of_run(run):
        if not each.environment and each.number is not None and each.sha:
            gates.lock_commit(tx, each.repository, each.number, each.sha)
            return


def _wanted(change: RunChange, decision: Decision) -> Approval:
    """Return the approval that a decision is about.

    Raises:
        NotFound: there is none.
        Conflict: the run was started again.
    """
    run, attempt = change.record.id, change.record.attempt
    if decision.attempt not in {None, attempt}:
        raise Conflict(f"run {run} was started again meanwhile", hint="look at it again")
    wanted = same_name(decision.environment)
    found = [
        each
        for each in change.tx.approvals.of_run(run)
        if (each.attempt, same_name(each.environment)) == (attempt, wanted)
        and each.state is not ApprovalState.EXEMPT
    ]
    if not found:
        what = f" for environment `{decision.environment}`" if decision.environment else ""
        raise NotFound(f"nothing of run {run} waits for approval{what}", hint="`pawl queue` shows what waits")
    return found[0]


def _again(found: Approval, decision: Decision, wished: ApprovalState) -> Decided:
    """Return that the same was decided before.

    Raises:
        Conflict: something else was.
    """
    known = ApprovalState.APPROVED if found.state is ApprovalState.WAITING else found.state
    if known is wished and found.decided_by:
        mark("approval.repeated")
        return Decided(approval=found, repeated=True)
    what = (
        f"environment `{found.environment}` of run {decision.run}"
        if found.environment
        else f"run {decision.run}"
    )
    if not found.decided_by and known is ApprovalState.APPROVED:
        raise Conflict(f"{what} waits for nobody", hint="`pawl cancel` stops what waits for time alone")
    by = f" by {found.decided_by}" if found.decided_by else ""
    mark("approval.conflict")
    raise Conflict(f"{what} was {known.value} already{by}", hint="start the run again to be asked again")


def _refuse_others(change: RunChange, found: Approval, by: str) -> None:
    """Return when somebody may decide.

    Raises:
        Denied: they may not.
    """
    refusal = ""
    if not found.environment:
        own = bool(found.author) and by.casefold() == found.author.casefold()
        refusal = f"`{by}` made the request, so somebody else has to decide" if own else ""
    else:
        environment = change.tx.environments.get(found.repository, found.environment)
        if environment is not None:
            state = change.state
            starters = frozenset(filter(None, (change.record.actor, state.triggered_by, state.started_by)))
            refusal = reviewer_refusal(environment, by, starters)
    if refusal:
        mark("approval.denied")
        raise Denied(refusal, known=True)


def _of_the_same_commit(tx: Transaction, found: Approval) -> tuple[Approval, ...]:
    if found.environment or found.number is None or not found.sha:
        return ()
    waiting = tx.approvals.waiting_for(found.repository, found.number, found.sha)
    return tuple(each for each in waiting if each.run != found.run)


def _target(approval: Approval) -> str:
    what = f"environment {approval.environment}" if approval.environment else f"commit {approval.sha or '?'}"
    said = f": {approval.comment}" if approval.comment else ""
    return f"run {approval.run}, {what}{said}"


def _settle(change: RunChange, approval: Approval, *, approved: bool) -> Approval:
    """Carry out what became of an approval that waited, store it, and return it."""
    if approval.decided_by and not approved:
        return _refuse(change, replace(approval, state=ApprovalState.REJECTED), Conclusion.FAILURE)
    stands = standing(approval, change.now, approved=approved)
    if stands is Standing.EXPIRED:
        mark("approval.expired")
        gone = replace(approval, state=ApprovalState.EXPIRED, decided_at=change.now)
        return _refuse(change, gone, Conclusion.TIMED_OUT)
    if stands is Standing.WAITS:
        mark("approval.approved_early")
        gates.put(change.tx, approval)
        return approval
    done = replace(approval, state=ApprovalState.APPROVED, decided_at=approval.decided_at or change.now)
    gates.put(change.tx, done)
    if done.environment:
        for job in list(_at_gate(change, done)):
            change.feed(JobAdmitted(id=job))
    else:
        _release(change)
    return done


def _refuse(change: RunChange, refused: Approval, conclusion: Conclusion) -> Approval:
    gates.put(change.tx, refused)
    reason = gates.refusal_of(refused)
    if not refused.environment:
        change.cancel(by=refused.decided_by or "timeout", reason=reason)
        return refused
    for job in list(_at_gate(change, refused)):
        change.feed(JobRefused(id=job, reason=reason, conclusion=conclusion))
    return refused


def _release(change: RunChange) -> None:
    change.feed(RunReleased())
    try:
        triggering.enter(change, late=True)
    except UsageError as error:
        # Refusing the approval would leave it waiting for something that does not come.
        change.cancel(by="concurrency", reason=error.message)


def _at_gate(change: RunChange, approval: Approval) -> Iterator[JobId]:
    wanted = same_name(approval.environment)
    for group in change.state.groups.values():
        for job in group.jobs or ():
            if job.is_at_gate and same_name(job.environment) == wanted:
                yield job.id


def due(tx: Transaction, moment: Moment) -> tuple[Approval, ...]:
    """Return what time alone changes something about by now."""
    return tx.approvals.due(moment.now, _AT_ONCE)


def settle_due(tx: Transaction, due_one: Approval, moment: Moment) -> bool:
    """Let in or give up what time has decided; return whether that was still to be done."""
    changes = Changes(tx, moment)
    change = changes.of(due_one.run)
    found = gates.current(change, due_one.environment)
    if found is None or found.look_at is None or found.look_at > moment.now:
        return False  # Somebody was faster.
    mark("approval.due")
    _settle(change, found, approved=bool(found.decided_by))
    changes.save()
    return True
