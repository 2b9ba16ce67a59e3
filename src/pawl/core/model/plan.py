"""The plan: what planning yields and execution reads. A plain value that survives JSON.

Whatever depends on something not known yet (a matrix from a job's output, a step's `env`) is kept as
written, with its `${{ }}`: plain data in which every string that holds `${{` is a template. Nothing here is
secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from pawl.core.model.events import Event
from pawl.core.model.ids import JobKey, StepId

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""Plain data as JSON knows it; strings in it may be templates where the field says so."""


class Outlook(StrEnum):
    """What planning can say about a job or step before anything ran."""

    RUNS = "runs"
    SKIPPED = "skipped"
    DECIDED_LATER = "decided_later"
    """Its condition looks at results or outputs that do not exist yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An outlook with its reason.

    Attributes:
        outlook: runs, skipped or decided later.
        reason: one sentence for people.
        trace: the condition's sub-expressions with their values, outermost first, one line each.
    """

    outlook: Outlook
    reason: str
    trace: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """One job out of a matrix. A job without a matrix has one combination with no values.

    Attributes:
        index: `strategy.job-index`, from 0.
        total: `strategy.job-total`.
        name: the display name, `build (3.12, ubuntu-latest)`.
        values: the `matrix` context.
        untrusted: whether an outsider's text went into the values; unlike the texts' own mark, it is stored.
    """

    index: int
    total: int
    name: str
    values: dict[str, Json] = field(default_factory=dict)
    untrusted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """A step as planned. Json fields may hold templates.

    Attributes:
        id: as written, or made up (`__run`, `__actions_checkout`, `__run_2`).
        has_own_id: whether the file gave the id; only then `steps.<id>` shows it.
        kind: what it does; `parallel` holds `steps`, `wait` and `cancel` name `targets` (none: all).
        condition: the effective expression, `success() && (...)` included.
        condition_text: the `if:` as written, or None.
        background: whether the job goes on while it runs.
        line: where it begins in the workflow file, from 1.
    """

    id: StepId
    has_own_id: bool
    kind: Literal["run", "uses", "parallel", "wait", "cancel"]
    line: int
    name: Json = None
    condition: str = "success()"
    condition_text: str | None = None
    run: str | None = None
    uses: str | None = None
    with_: Json = None
    env: Json = None
    shell: str | None = None
    working_directory: str | None = None
    continue_on_error: Json = False
    timeout_minutes: Json = None
    background: bool = False
    targets: tuple[str, ...] = ()
    steps: tuple[PlannedStep, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """`retry:` of a job: how often to try again, and after which failures (none given: after any).

    Attributes:
        signals: numbers of signals that ended the failing step's process.
        log: texts, one of which the end of a log has to hold.
    """

    max_attempts: int
    backoff_seconds: float = 0
    exit_codes: tuple[int, ...] = ()
    on_timeout: bool = False
    signals: tuple[int, ...] = ()
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJob:
    """A job as planned, before its matrix is expanded. Json fields may hold templates.

    Attributes:
        needs: direct needs, as written (stages have become needs).
        ancestors: all transitive needs; `success()` looks at these.
        condition: the effective expression.
        condition_text: the `if:` as written, or None.
        matrix: `strategy.matrix` as written; None without one.
        combinations: the expanded matrix where it is known already, else None.
        uses: a reusable workflow, with `with_` and `secrets` (`inherit` or a mapping); no steps then.
        unsupported: what running it would need and this version of Pawl lacks, a sentence each.
        notes: what is different here from what the file says, a sentence each; the job runs all the same.
    """

    key: JobKey
    line: int
    verdict: Verdict
    needs: tuple[JobKey, ...] = ()
    ancestors: tuple[JobKey, ...] = ()
    name: Json = None
    condition: str = "success()"
    condition_text: str | None = None
    matrix: Json = None
    fail_fast: Json = True
    max_parallel: Json = None
    combinations: tuple[Combination, ...] | None = None
    runs_on: Json = None
    container: Json = None
    services: Json = None
    env: Json = None
    default_shell: str | None = None
    default_working_directory: str | None = None
    outputs: Json = None
    timeout_minutes: Json = None
    cancel_timeout_minutes: Json = None
    continue_on_error: Json = False
    environment: Json = None
    concurrency: Json = None
    permissions: Json = None
    steps: tuple[PlannedStep, ...] = ()
    uses: str | None = None
    with_: Json = None
    secrets: Json = None
    artifacts: tuple[str, ...] = ()
    env_file: str | None = None
    retry: RetryRule | None = None
    priority: int | None = None
    unsupported: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One workflow planned for one event.

    Attributes:
        path: the workflow file, relative to the repository's root.
        name: the workflow's display name.
        run_name: the run's display name, rendered.
        trigger: whether the event starts the workflow, and which filter decided.
        inputs: the `inputs` context, typed.
        variables: the `vars` context.
        jobs: in a topological order that only depends on the file.
    """

    path: str
    name: str
    run_name: str
    event: Event
    trigger: Verdict
    inputs: dict[str, Json] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    env: Json = None
    concurrency: Json = None
    permissions: Json = None
    jobs: tuple[PlannedJob, ...] = ()

    def job(self, key: str) -> PlannedJob:
        """Return the job called `key`.

        Raises:
            KeyError: when there is none.
        """
        return next((job for job in self.jobs if job.key == key), None) or _no_job(key)


def _no_job(key: str) -> PlannedJob:
    raise KeyError(key)
