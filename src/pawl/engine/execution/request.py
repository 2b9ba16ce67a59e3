"""What a run is asked to do, and what came of it: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pawl.core.model.ids import JobId, JobKey, RunNumber
from pawl.core.model.needs import NeedResult
from pawl.core.model.plan import Combination, Plan, PlannedJob
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.planning.resolve import Strategy
from pawl.ports.artifacts import ArtifactStore
from pawl.ports.clock import Clock
from pawl.ports.executor import Executor
from pawl.ports.logs import LogStore
from pawl.ports.reporter import Reporter
from pawl.ports.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionLimits:
    """Times in seconds, sizes in bytes. The reasons are in docs/adr/0005-time-limits.md.

    Attributes:
        job_timeout: where the workflow gives none: 360 minutes (GitHub documentation, workflow syntax).
        step_timeout: where the workflow gives none; None leaves it to the job's.
        cancel_timeout: how long a cancelled job may still work, 5 minutes (the same source).
        term_after: from SIGINT to SIGTERM; `kill_after`: from there to SIGKILL (the same source).
        close_timeout: how long taking a sandbox down may take before it is left to the next sweep.
        output: what one process may print before it is killed: it lies on this machine's disk.
        summary: of all step summaries of a job together.
        composite_depth: actions within actions (actions/runner Constants.CompositeActionsMaxDepth).
    """

    job_timeout: float = 360 * 60
    step_timeout: float | None = None
    cancel_timeout: float = 5 * 60
    term_after: float = 7.5
    kill_after: float = 2.5
    close_timeout: float = 60
    output: int = 4_294_967_296
    summary: int = 4_194_304
    composite_depth: int = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One run of a plan.

    Attributes:
        folder: where the folders of the jobs are made; ours alone, removed at the end.
        owner: the token by which a later sweep tells whether we still live.
        secrets: by name; masked everywhere.
        masked: what is masked besides, though no context holds it.
        images: label of `runs-on` to the name of an image.
        only_jobs: keys of the jobs asked for; their needs run too. Empty means all.
        matrix_filter: only combinations in which these axes have these values (compared as text).
        bind: work in this folder itself and not in a copy.
        keep_on_failure: leave the sandbox of a failed job for `pawl shell`.
        strict_variables: an undefined `$NAME` in a field of the workflow is an error (requirement L5).
        project: the folder that `env_file` is relative to.
        run_id: what `github.run_id` is; the number where a run has no other id.
        run_attempt: what `github.run_attempt` is; None means the attempt of the job.
    """

    plan: Plan
    number: RunNumber
    folder: Path
    owner: str
    project: Path
    secrets: Mapping[str, str] = field(default_factory=dict)
    masked: tuple[str, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    jobs_at_once: int = 2
    only_jobs: frozenset[str] = frozenset()
    matrix_filter: Mapping[str, str] = field(default_factory=dict)
    bind: Path | None = None
    keep_on_failure: bool = False
    strict_variables: bool = False
    limits: ExecutionLimits = ExecutionLimits()
    run_id: str | None = None
    run_attempt: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome:
    """How one job ended, its last attempt.

    Attributes:
        reason: why it failed or was cancelled, in words.
        failure_class: whose fault it was, where it failed.
        exit_code: of the step that failed it, where a process did.
        outputs: what `needs.<id>.outputs` shows; `untrusted`: the names of those that outsiders influenced.
        summary: Markdown of all its steps.
        kept_sandbox: the name of the sandbox that stays for `pawl shell`.
    """

    id: JobId
    key: JobKey
    name: str
    conclusion: Conclusion
    duration: float = 0.0
    reason: str = ""
    failure_class: FailureClass | None = None
    exit_code: int | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    untrusted: frozenset[str] = frozenset()
    summary: str = ""
    kept_sandbox: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How a run ended.

    Attributes:
        jobs: in the order in which they ended; skipped ones too.
        swept: what earlier runs that were killed had left and is gone now, a line each.
        unmatched: axes of the matrix filter whose value no combination had.
    """

    conclusion: Conclusion
    duration: float
    reason: str = ""
    jobs: tuple[JobOutcome, ...] = ()
    swept: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()

    @property
    def failure_class(self) -> FailureClass | None:
        """Return the class of the first failed job that was not the user's fault, else of any failed one.

        None for a run that did not fail, whatever jobs with `continue-on-error` did.
        """
        if self.conclusion is Conclusion.SUCCESS:
            return None
        classes = [job.failure_class for job in self.jobs if job.failure_class is not None]
        ours = [each for each in classes if each is not FailureClass.USER]
        return next(iter(ours or classes), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The world as a run reaches it."""

    executor: Executor
    source: Source
    logs: LogStore
    artifacts: ArtifactStore
    reporter: Reporter
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """One attempt of one job of a run.

    Attributes:
        needs: how what it needs ended.
        strategy: `fail-fast` and `max-parallel`, for the `strategy` context.
    """

    run: RunRequest
    id: JobId
    attempt: int
    planned: PlannedJob
    combination: Combination
    strategy: Strategy
    needs: Mapping[JobKey, NeedResult]
