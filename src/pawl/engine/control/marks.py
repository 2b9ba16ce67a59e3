"""Marks on the rare paths: the simulation proves that it reaches each of them.

In production `mark` does nothing but look at one variable: a path that is marked is as fast as before, and
the code that is simulated is the code that is shipped. `MARKS` lists all of them, so that a batch of
simulations can say which it never reached.
"""

from __future__ import annotations

from collections.abc import Callable

MARKS = frozenset(
    {
        "approval.approve",
        "approval.approved_early",
        "approval.branch_refused",
        "approval.conflict",
        "approval.denied",
        "approval.due",
        "approval.environment_waits",
        "approval.expired",
        "approval.fork_exempt",
        "approval.fork_refused",
        "approval.fork_waits",
        "approval.known",
        "approval.known_refused",
        "approval.reject",
        "approval.repeated",
        "approval.withdrawn",
        "artifact.foreign_name_refused",
        "artifact.missing_blob_refused",
        "artifact.replaced_by_later_attempt",
        "begin.repeated",
        "cancel.at_once",
        "cancel.before_start",
        "cancel.leased",
        "cancel.one_job",
        "cancel.queued",
        "cancel.repeated",
        "cancel.running",
        "finish.different_refused",
        "finish.log_incomplete",
        "finish.log_truncated",
        "finish.outputs_too_large",
        "finish.repeated",
        "finish.report_refused",
        "group.blocked",
        "group.cancelled_running",
        "group.full",
        "group.handed_on",
        "group.healed",
        "group.superseded",
        "hello.stale",
        "lease.empty",
        "lease.no_slot",
        "lease.repeated",
        "lease.repeated_gone",
        "lease.stale_epoch_refused",
        "log.gap_refused",
        "log.too_large",
        "recover.extended",
        "renew.begin_limit",
        "renew.cancel_told",
        "renew.gone",
        "rerun.all",
        "rerun.failed",
        "rerun.one",
        "retry.delayed",
        "sweep.cancelled_lost",
        "sweep.given_up",
        "sweep.lost",
        "sweep.queue_timeout",
        "sweep.requeued",
        "tell.gap_refused",
        "tell.overlap_dropped",
        "tell.refused_event",
        "trigger.repeated",
    }
)

_listener: Callable[[str], None] | None = None


def mark(name: str) -> None:
    """Say that the path called `name`, one of `MARKS`, was taken."""
    if _listener is not None:
        _listener(name)


def listen(listener: Callable[[str], None] | None) -> None:
    """Have `listener` called at every mark; None for nobody. For simulations, which run one at a time."""
    global _listener  # noqa: PLW0603 - one hook for the process: production pays for no indirection
    _listener = listener
