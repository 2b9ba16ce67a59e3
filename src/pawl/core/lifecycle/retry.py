"""Whether a failed attempt is followed by another, and when (requirement Q8)."""

from __future__ import annotations

from pawl.core.lifecycle.events import JobFinished
from pawl.core.lifecycle.results import is_failure
from pawl.core.lifecycle.state import Group, JobState, RunState
from pawl.core.model.plan import RetryRule
from pawl.core.model.status import Conclusion, FailureClass

INFRASTRUCTURE_DELAY = 10.0
"""Seconds before the second attempt after a fault of the infrastructure; doubles from then on."""

LONGEST_DELAY = 3600.0

_KILLED = 128
"""The exit code of a process that a signal ended is this and the signal's number, as shells tell it."""


def retry_delay(run: RunState, group: Group, job: JobState, end: JobFinished) -> float | None:
    """Return after how many seconds to try again, or None for not at all.

    A user's fault is tried again only when the workflow says `retry`; a cancelled job never is.
    """
    if end.final or not is_failure(end.conclusion) or job.cancelling or run.cancellation:
        return None
    # A re-run begins anew with the counting, though not with the numbers of the attempts.
    attempt = job.attempt - job.earlier
    if group.retry is not None and attempt < group.retry.max_attempts and _covers(group.retry, end):
        return _doubled(group.retry.backoff_seconds, attempt)
    infrastructure = end.failure_class is FailureClass.INFRASTRUCTURE
    if infrastructure and attempt <= run.infrastructure_retries:
        return _doubled(INFRASTRUCTURE_DELAY, attempt)
    return None


def _covers(rule: RetryRule, end: JobFinished) -> bool:
    if not (rule.exit_codes or rule.on_timeout or rule.signals or rule.log):
        return True
    if not end.log_texts.isdisjoint(rule.log):
        return True
    if end.conclusion is Conclusion.TIMED_OUT:
        return rule.on_timeout
    killed_by = end.exit_code - _KILLED if end.exit_code is not None else None
    return end.exit_code in rule.exit_codes or killed_by in rule.signals


def _doubled(seconds: float, attempt: int) -> float:
    return min(seconds * 2.0 ** min(attempt - 1, 30), LONGEST_DELAY)
