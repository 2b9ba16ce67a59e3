"""The lifecycle of a run: a total pure function from state and event to state and effects (M4).

Everything that waits, retries, skips or cancels is decided here and nowhere else.
"""

from pawl.core.lifecycle.apply import IllegalTransition, apply
from pawl.core.lifecycle.effects import (
    AskApproval,
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
    JobAdmitted,
    JobFinished,
    JobRefused,
    JobResolved,
    JobSkipped,
    JobStarted,
    JobUnresolvable,
    LifecycleEvent,
    ResolvedCombination,
    RunHeld,
    RunReleased,
    RunStarted,
)
from pawl.core.lifecycle.rerun import rerun
from pawl.core.lifecycle.results import (
    ancestor_results,
    need_results,
    run_conclusion,
    run_status,
    waiting_reason,
)
from pawl.core.lifecycle.state import Cancellation, Gate, Group, JobState, RunState, create_run
from pawl.core.lifecycle.storage import state_from_json, state_to_json

__all__ = [
    "AskApproval",
    "CancelJob",
    "CancelRequested",
    "Cancellation",
    "CompleteRun",
    "Effect",
    "EndJob",
    "Gate",
    "Group",
    "IllegalTransition",
    "JobAdmitted",
    "JobFinished",
    "JobRefused",
    "JobResolved",
    "JobSkipped",
    "JobStarted",
    "JobState",
    "JobUnresolvable",
    "LifecycleEvent",
    "Notice",
    "ResolveJob",
    "ResolvedCombination",
    "RunHeld",
    "RunReleased",
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
    "waiting_reason",
]
