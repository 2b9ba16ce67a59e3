"""What a run says at its commit: a line for each name. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pawl.core.forges.answers import shortened
from pawl.core.lifecycle import RunState
from pawl.core.lifecycle.state import Group
from pawl.core.model.events import Event
from pawl.core.model.forge import CommitState
from pawl.core.model.projects import Verdict
from pawl.core.model.records import RunRecord
from pawl.core.model.refs import is_commit
from pawl.core.model.status import Conclusion, Status

_PLACE = re.compile(r"\{(workflow|job|event)\}")
_LONGEST_CONTEXT = 250
_LONGEST_DESCRIPTION = 500
_PATHS = frozenset({"paths", "paths-ignore"})
_STATES = {
    Conclusion.SUCCESS: CommitState.SUCCESS,
    Conclusion.FAILURE: CommitState.FAILURE,
    Conclusion.TIMED_OUT: CommitState.FAILURE,
    Conclusion.CANCELLED: CommitState.CANCELLED,
    Conclusion.SKIPPED: CommitState.SKIPPED,
}
_WORDS = {
    Conclusion.SUCCESS: "Succeeded",
    Conclusion.FAILURE: "Failed",
    Conclusion.TIMED_OUT: "Timed out",
    Conclusion.CANCELLED: "Cancelled",
    Conclusion.SKIPPED: "Skipped",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What stands under one name."""

    state: CommitState
    description: str
    started_at: float | None = None
    completed_at: float | None = None


def lines_of(record: RunRecord, state: RunState, template: str) -> dict[str, Line]:
    """Return what a run says, by name: one line, or one for each job where the template names those."""
    if "{job}" in template and state.groups:
        return {
            context_of(template, record.name, record.event, str(key)): _job_line(group, record)
            for key, group in state.groups.items()
        }
    return {context_of(template, record.name, record.event): _run_line(record, state)}


def context_of(template: str, workflow: str, event: str, job: str = "") -> str:
    """Return the name that a template makes: what is filled in is not looked at again."""
    values = {"workflow": workflow, "event": event, "job": job}
    made = _PLACE.sub(lambda found: values[found[1]], template)
    return shortened(made, _LONGEST_CONTEXT).strip("/ ") or "pawl"


def commit_of(event: Event) -> str:
    """Return the commit that statuses stand at: a pull request's head; "" where it is not known in full."""
    if is_commit(event.head_sha):
        return event.head_sha
    return event.sha if is_commit(event.sha) and event.sha.strip("0") else ""


def ref_of(event: Event) -> str:
    """Return the short name of the branch or tag that the commit is of, "" where it lies in a fork."""
    if event.number is not None or event.head_ref:
        return "" if event.from_fork else event.head_ref
    return event.branch or event.tag or ""


def kept_out_line(verdict: Verdict) -> Line | None:
    """Return what stands at a commit for a workflow that only its path filters kept out; None for others.

    A branch may require its check, which would be awaited for ever. What listens to other events or
    branches is nothing that anybody waits for.
    """
    told = verdict.verdicts if isinstance(verdict.verdicts, list) else []
    refused = {str(each.get("filter")) for each in told if isinstance(each, dict) and not each.get("passed")}
    if verdict.run is not None or not refused or not refused <= _PATHS:
        return None
    return Line(state=CommitState.SKIPPED, description=_described("Skipped", verdict.reason))


def _run_line(record: RunRecord, state: RunState) -> Line:
    if record.conclusion is not None:
        return _ended(record.conclusion, record.started_at, record.completed_at, record.reason)
    if record.status is not Status.IN_PROGRESS:
        return Line(state=CommitState.PENDING, description=_described("Waiting", record.reason))
    if record.cancelling:
        return Line(state=CommitState.RUNNING, description="Being cancelled", started_at=record.started_at)
    jobs = [job for group in state.groups.values() for job in group.jobs or ()]
    held = next((job.reason for job in jobs if job.status is Status.WAITING and job.reason), "")
    if held and not any(job.is_active for job in jobs):  # nothing goes on until somebody approves
        return Line(
            state=CommitState.PENDING,
            description=_described("Waiting", held),
            started_at=record.started_at,
        )
    return Line(state=CommitState.RUNNING, description="Running", started_at=record.started_at)


def _job_line(group: Group, record: RunRecord) -> Line:
    jobs = group.jobs or ()
    started = min((job.started_at for job in jobs if job.started_at is not None), default=None)
    if group.result is not None:
        ended = max((job.completed_at for job in jobs if job.completed_at is not None), default=None)
        reasons = [group.reason, *(job.reason for job in jobs if job.conclusion is group.result)]
        return _ended(group.result, started, ended, next(filter(None, reasons), ""))
    if any(job.status is Status.IN_PROGRESS for job in jobs):
        return Line(state=CommitState.RUNNING, description="Running", started_at=started)
    waits = next((job.reason for job in jobs if job.reason), record.reason)
    return Line(state=CommitState.PENDING, description=_described("Waiting", waits))


def _ended(conclusion: Conclusion, started: float | None, ended: float | None, reason: str) -> Line:
    words = _WORDS[conclusion]
    ran = conclusion not in {Conclusion.SKIPPED, Conclusion.CANCELLED}
    if ran and started is not None and ended is not None:
        preposition = "in" if conclusion is Conclusion.SUCCESS else "after"
        words = f"{words} {preposition} {duration(ended - started)}"
    return Line(
        state=_STATES[conclusion],
        description=_described(words, reason),
        started_at=started,
        completed_at=ended,
    )


def _described(words: str, reason: str) -> str:
    return shortened(f"{words}: {reason}" if reason else words, _LONGEST_DESCRIPTION)


def duration(seconds: float) -> str:
    """Return a duration for people: `12 s`, `3 min 5 s`, `2 h 4 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
