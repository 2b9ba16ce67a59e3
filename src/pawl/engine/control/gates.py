"""What may have to wait for a person: runs from forks before they begin, jobs before they deploy.

Here approvals are asked for, and taken back when what waited is no more; `approvals.py` decides them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pawl.core.approvals.environments import branch_refusal, next_look, why_waiting
from pawl.core.approvals.forks import ForkOutcome, author_of, commit_of, decide_fork, question_of
from pawl.core.lifecycle import AskApproval, JobAdmitted, JobRefused, RunHeld
from pawl.core.model import run_events
from pawl.core.model.approvals import WHOLE_RUN, Approval, ApprovalState, Environment, same_name
from pawl.core.model.errors import UsageError
from pawl.core.model.events import Event
from pawl.core.model.projects import ForkPolicy
from pawl.engine.control.marks import mark
from pawl.ports.store import Transaction

if TYPE_CHECKING:  # the changes of runs call these functions, and these change runs
    from pawl.engine.control.transitions import RunChange

APPROVALS = "approvals"
"""The topic that is told when something waits for approval, or was decided."""
_MINUTE = 60.0


def may_begin(change: RunChange) -> bool:
    """Return whether a run that has not begun may; one from a fork may have to wait, and is held then.

    Asked each time that a run is started, so what was decided for one start by rules that are no more the
    project's does not hold for the next (R34).

    Raises:
        UsageError: the project runs nothing that comes from a fork.
    """
    event = change.plan.event
    if not event.from_fork:
        return True
    tx, repository = change.tx, change.record.repository
    approved = approval_of(tx, repository, event)
    author = author_of(event)
    verdict = decide_fork(
        question_of(
            event,
            fork_policy(tx, repository),
            approved=approved,
            author_approved=tx.approvals.approved_author(repository, author) if author else None,
        )
    )
    if verdict.outcome is ForkOutcome.REFUSED:
        mark("approval.fork_refused")
        raise UsageError(
            f"it was refused: {verdict.rule}", hint="`pawl project set NAME --forks always` lets them wait"
        )
    waits = verdict.outcome is ForkOutcome.WAITS
    asked = _asked(change, WHOLE_RUN, verdict.rule, waits=waits)
    if not waits:
        mark("approval.fork_exempt")
        put(tx, asked)
        return True
    mark("approval.fork_waits")
    put(tx, asked)
    change.feed(RunHeld(why_waiting(asked)))
    return False


def fork_policy(tx: Transaction, repository: str) -> ForkPolicy:
    """Return what a project says about forks; of one that the server does not know they always wait."""
    project = tx.projects.get(repository)
    return project.forks if project is not None else ForkPolicy.ALWAYS


def approval_of(tx: Transaction, repository: str, event: Event) -> Approval | None:
    """Return the approval of an event's very commit; nobody else decides it till the transaction's end."""
    sha = commit_of(event)
    if event.number is None or not sha:
        return None
    lock_commit(tx, repository, event.number, sha)
    return tx.approvals.approved_for(repository, event.number, sha)


def lock_commit(tx: Transaction, repository: str, number: int, sha: str) -> None:
    """Keep others from deciding about a commit of a request, or from asking about it, meanwhile."""
    tx.keys.get(f"approval:{repository}:{number}:{sha}")


def ask(change: RunChange, effect: AskApproval) -> None:
    """Let a job in to its environment, refuse it, or have it wait."""
    tx, record = change.tx, change.record
    environment = tx.environments.get(record.repository, effect.environment)
    if environment is None:
        change.feed(JobAdmitted(id=effect.id))
        return
    refusal = branch_refusal(environment, change.plan.event)
    if refusal:
        mark("approval.branch_refused")
        change.feed(JobRefused(id=effect.id, reason=refusal))
        return
    known = current(change, effect.environment)
    if known is not None and known.state is ApprovalState.APPROVED:
        mark("approval.known")
        change.feed(JobAdmitted(id=effect.id))
    elif known is not None and known.state in {ApprovalState.REJECTED, ApprovalState.EXPIRED}:
        mark("approval.known_refused")
        change.feed(JobRefused(id=effect.id, reason=refusal_of(known)))
    elif not environment.reviewers and environment.wait_minutes <= 0:
        change.feed(JobAdmitted(id=effect.id))
    else:
        _wait(change, effect, environment, known)


def _wait(change: RunChange, effect: AskApproval, environment: Environment, known: Approval | None) -> None:
    if known is None or known.state is not ApprovalState.WAITING:
        mark("approval.environment_waits")
        named = ", ".join(environment.reviewers)
        rule = (
            f"one of {named} has to approve" if named else f"{environment.wait_minutes:g} minutes pass first"
        )
        known = _asked(change, effect.environment, rule, waits=True, environment=environment)
        put(change.tx, known)
    said = run_events.JobProgress(time=change.now, job=effect.id, message=why_waiting(known))
    change.tell(said)


def _asked(
    change: RunChange, name: str, rule: str, *, waits: bool, environment: Environment | None = None
) -> Approval:
    event, now = change.plan.event, change.now
    wait = environment.wait_minutes * _MINUTE if environment is not None else 0.0
    return Approval(
        run=change.record.id,
        attempt=change.record.attempt,
        environment=name,
        repository=change.record.repository,
        state=ApprovalState.WAITING if waits else ApprovalState.EXEMPT,
        rule=rule,
        asked_at=now,
        number=event.number,
        sha=commit_of(event),
        author=author_of(event),
        review=environment is None or bool(environment.reviewers),
        ready_at=now + wait,
        expires_at=now + change.moment.rules.approval_timeout,
    )


def put(tx: Transaction, approval: Approval) -> None:
    """Store an approval, with when it is to be looked at again, and tell whoever waits for news of it."""
    tx.approvals.put(replace(approval, look_at=next_look(approval)))
    tx.notify(APPROVALS)


def refusal_of(approval: Approval) -> str:
    """Return in words why what waited for an approval does not go on."""
    what = f"environment `{approval.environment}`" if approval.environment else "it"
    if approval.state is ApprovalState.EXPIRED:
        days = (approval.expires_at - approval.asked_at) / 86_400.0
        return f"nobody approved {what} within {days:g} days"
    said = f": {approval.comment}" if approval.comment else ""
    return f"{what} was rejected by {approval.decided_by}{said}"


def current(change: RunChange, environment: str) -> Approval | None:
    """Return the approval of an environment for this start of the run."""
    return next(
        (
            each
            for each in change.tx.approvals.of_run(change.record.id)
            if each.attempt == change.record.attempt and same_name(each.environment) == same_name(environment)
        ),
        None,
    )


def withdraw(change: RunChange) -> None:
    """Take back what nothing of a run waits for any more: it was cancelled, or ended."""
    needed = {
        same_name(job.environment)
        for group in change.state.groups.values()
        for job in group.jobs or ()
        if job.is_at_gate
    }
    if change.state.held:
        needed.add(WHOLE_RUN)
    for each in change.tx.approvals.of_run(change.record.id):
        if each.state is ApprovalState.WAITING and same_name(each.environment) not in needed:
            mark("approval.withdrawn")
            gone = replace(each, state=ApprovalState.WITHDRAWN, decided_at=change.now)
            put(change.tx, gone)
