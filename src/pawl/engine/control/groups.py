"""Concurrency groups in the store: entering, leaving, handing on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pawl.core.expressions import ExpressionError, Value
from pawl.core.lifecycle import RunStarted
from pawl.core.model.ids import JobId, RunId
from pawl.core.model.plan import Json
from pawl.core.model.records import AttemptRef, AttemptState, GroupMember
from pawl.core.planning.render import as_bool, as_text, render_json
from pawl.core.queue.groups import Entry, GroupRule, enter, next_in
from pawl.engine.control.marks import mark
from pawl.ports.store import Transaction

if TYPE_CHECKING:  # the changes of runs call these functions, and these change runs
    from pawl.engine.control.transitions import Changes, RunChange

_LONGEST_NAME = 400
_BETWEEN = "\n"
"""Between repository and group: neither can hold it, so no two groups have one name."""


def group_rule(data: Json, contexts: Mapping[str, Value], repository: str) -> GroupRule | None:
    """Return a `concurrency` with its values; None for none, or for an empty name.

    Groups of different repositories are different groups.

    Raises:
        ExpressionError: it cannot be evaluated, or is of the wrong type.
    """
    fields = render_json(data, contexts)
    if not isinstance(fields, dict):
        fields = {"group": fields}
    name = as_text(fields.get("group"), "`concurrency`").strip().lower()
    if not name:
        return None
    if len(name) > _LONGEST_NAME:
        raise ExpressionError(f"the name of a concurrency group has more than {_LONGEST_NAME} characters")
    return GroupRule(
        group=f"{repository}{_BETWEEN}{name}",
        cancel_in_progress=as_bool(fields.get("cancel-in-progress"), "`cancel-in-progress`"),
        keeps_all=as_text(fields.get("queue"), "`queue`") == "max",
    )


def giving_way(run: RunId) -> str:
    """Return the name of the value that says of a run that it stops nobody (`Trigger.gives_way`)."""
    return f"gives-way:{run}"


def join(change: RunChange, rule: GroupRule, job: JobId | None) -> Entry:
    """Bring a run (`job` is None) or a job into a group and carry out what that means for others.

    The newcomer is stored as a member unless it was refused.
    """
    tx, run = change.tx, change.record.id
    members = tx.groups.members(rule.group)
    own = [member for member in members if member.run == run and member.job in {job, None}]
    if own:
        # A job tried again still has its group; one whose run has the group need not wait for its own run.
        return Entry(active=own[0].active or own[0].job is None)
    if members and tx.keys.get(giving_way(run)):
        rule = replace(rule, cancel_in_progress=False, keeps_all=True)
    entry = enter(members, rule)
    if entry.refused:
        mark("group.full")
        return entry
    member = GroupMember(group=rule.group, run=run, job=job, active=entry.active, since=change.now)
    tx.groups.put(member)
    why = f"superseded by run {run}"
    for other in entry.superseded:
        mark("group.superseded")
        _cancel(change, other, why)
    for other in entry.stop:
        mark("group.cancelled_running")
        _cancel(change, other, f"{why}, which cancels what is in progress in its concurrency group")
    if not entry.stop:
        return entry
    # Whoever had it and had not begun has ended by now, and has handed it on.
    has_it = any(each.active and (each.run, each.job) == (run, job) for each in tx.groups.members(rule.group))
    return replace(entry, active=has_it)


def held_by(tx: Transaction, group: str) -> str:
    """Return why those that await a group wait, in words."""
    holder = next((member for member in tx.groups.members(group) if member.active), None)
    name = group.partition(_BETWEEN)[2]
    held = f"is held by run {holder.run}" if holder else "is about to be handed on"
    return f"concurrency group `{name}` {held}"


def leave_group(change: RunChange, job: JobId | None) -> None:
    """Take a run or job out of its group, if it has one, and hand that on."""
    if change.plan.concurrency is None and all(each.concurrency is None for each in change.plan.jobs):
        return
    for member in change.tx.groups.of_run(change.record.id):
        if member.job == job or job is None:
            change.tx.groups.remove(member.group, member.run, member.job)
            hand_on(change.changes, member.group)


def hand_on(changes: Changes, group: str) -> bool:
    """Give a group that nobody has to the first that waits; return whether there was one."""
    following = next_in(changes.tx.groups.members(group))
    if following is None:
        return False
    mark("group.handed_on")
    changes.tx.groups.put(replace(following, active=True))
    change = changes.of(following.run)
    if following.job is None:
        change.feed(RunStarted())
    else:
        _unblock(change, following.job)
    return True


def _unblock(change: RunChange, job: JobId) -> None:
    found = change.state.find(job)
    if found is None:
        return
    ref = AttemptRef(run=change.record.id, job=job, attempt=found[1].attempt)
    row = change.tx.attempts.get(ref, lock=True)
    if row is not None and row.state is AttemptState.QUEUED:
        deadline = change.now + change.moment.rules.queue_timeout
        change.tx.attempts.save(replace(row, blocked="", deadline=deadline))
        change.tx.notify("queue")


def _cancel(change: RunChange, member: GroupMember, reason: str) -> None:
    other = change.changes.of(member.run)
    if member.job is None:
        other.cancel(by="concurrency", reason=reason)
    else:
        other.cancel_job(member.job, by="concurrency", reason=reason)
