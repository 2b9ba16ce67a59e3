"""The lifecycle of a run: a total pure function from state and event to state and effects (M4).

Everything that waits, retries, skips or cancels is decided here and nowhere else.
"""

from pawl.core.lifecycle.apply import IllegalTransition, apply
from pawl.core.lifecycle.effects import (
    CancelJob,
    CompleteRun,
    Effect,
    EndJob,
    Notice,
    ResolveJob,
    StartJob,
)
from pawl.core.lifecycle.events import (
    CancelRequested,
    JobFinished,
    JobResolved,
    JobSkipped,
    JobStarted,
    JobUnresolvable,
    LifecycleEvent,
    ResolvedCombination,
    RunStarted,
)
from pawl.core.lifecycle.rerun import rerun
from pawl.core.lifecycle.results import ancestor_results, need_results, run_conclusion, run_status
from pawl.core.lifecycle.state import Cancellation, Group, JobState, RunState, create_run
from pawl.core.lifecycle.storage import state_from_json, state_to_json

__all__ = [
    "CancelJob",
    "CancelRequested",
    "Cancellation",
    "CompleteRun",
    "Effect",
    "EndJob",
    "Group",
    "IllegalTransition",
    "JobFinished",
    "JobResolved",
    "JobSkipped",
    "JobStarted",
    "JobState",
    "JobUnresolvable",
    "LifecycleEvent",
    "Notice",
    "ResolveJob",
    "ResolvedCombination",
    "RunStarted",
    "RunState",
    "StartJob",
    "ancestor_results",
    "apply",
    "create_run",
    "need_results",
    "rerun",
    "run_conclusion",
    "run_status",
    "state_from_json",
    "state_to_json",
]
