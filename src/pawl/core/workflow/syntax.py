"""The workflow as written: an immutable tree in which every part knows its place.

What is static (names, keys, needs, filters) is typed here. What may hold expressions stays a `Node` and is
given a type where it is evaluated, as GitHub does. The original design's spellings (requirement L2) are gone
after parsing: `command` has become `run`, `stages` have become needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pawl.core.diagnostics import Span
from pawl.core.model.ids import JobKey, StepId
from pawl.core.model.plan import RetryRule
from pawl.core.workflow.nodes import Node, Scalar


@dataclass(frozen=True, slots=True)
class Text:
    """A string of the file with its place."""

    text: str
    span: Span

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """An `if:`. `effective` has the implicit `success() && (...)`; it is never empty."""

    source: Scalar
    effective: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The filters of one event; None where the file gives none (an empty tuple matches nothing)."""

    branches: tuple[Text, ...] | None = None
    branches_ignore: tuple[Text, ...] | None = None
    tags: tuple[Text, ...] | None = None
    tags_ignore: tuple[Text, ...] | None = None
    paths: tuple[Text, ...] | None = None
    paths_ignore: tuple[Text, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A declared input of `workflow_dispatch` or `workflow_call`.

    Attributes:
        type: `string`, `boolean`, `number`, `choice` or `environment`.
        default: a node that may hold an expression (`workflow_call`), or None.
        has_options: whether the key `options` is given, be it empty.
    """

    name: Text
    type: str = "string"
    required: bool = False
    default: Node | None = None
    description: str = ""
    options: tuple[str, ...] = ()
    has_options: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredSecret:
    """A secret that a reusable workflow declares."""

    name: Text
    required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One cron line; `timezone` is a IANA name or None for UTC."""

    cron: Text
    timezone: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One event of `on:`.

    Attributes:
        types: activity types as written; None where the file gives none (the event's defaults).
        workflows: names for `workflow_run`.
        inputs: for `workflow_dispatch` and `workflow_call`.
        outputs: for `workflow_call`, name to value node.
        schedules: for `schedule`.
    """

    event: Text
    types: tuple[Text, ...] | None = None
    filters: Filters = Filters()
    workflows: tuple[Text, ...] = ()
    inputs: tuple[Input, ...] = ()
    secrets: tuple[DeclaredSecret, ...] = ()
    outputs: Mapping[str, Node] = field(default_factory=dict)
    schedules: tuple[Schedule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """`defaults.run`."""

    shell: Scalar | None = None
    working_directory: Scalar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCommon:
    """What every step has. `id` is made up where the file gives none (`has_own_id` is False then)."""

    id: StepId
    has_own_id: bool
    span: Span
    name: Scalar | None = None
    condition: Condition | None = None
    continue_on_error: Node | None = None
    timeout_minutes: Node | None = None
    env: Node | None = None
    background: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStep:
    """`run:` a script."""

    common: StepCommon
    run: Scalar
    shell: Scalar | None = None
    working_directory: Scalar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsesStep:
    """`uses:` an action."""

    common: StepCommon
    uses: Scalar
    with_: Node | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelStep:
    """`parallel:` steps that run side by side; the job goes on when all have ended."""

    common: StepCommon
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStep:
    """`wait:` for background steps by id, or `wait-all:` (no targets)."""

    common: StepCommon
    targets: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelStep:
    """`cancel:` background steps by id."""

    common: StepCommon
    targets: tuple[Text, ...]


Step: TypeAlias = "RunStep | UsesStep | ParallelStep | WaitStep | CancelStep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """`strategy:`. `matrix` is a mapping node, or a scalar holding one expression."""

    matrix: Node | None = None
    fail_fast: Node | None = None
    max_parallel: Node | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReusableCall:
    """`uses:` of a job: another workflow. `secrets` is a mapping node or the scalar `inherit`."""

    uses: Text
    with_: Node | None = None
    secrets: Node | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job. It has `steps`, or a `call` of a reusable workflow."""

    key: JobKey
    key_span: Span
    span: Span
    name: Scalar | None = None
    needs: tuple[Text, ...] = ()
    condition: Condition | None = None
    permissions: Node | None = None
    concurrency: Node | None = None
    strategy: Strategy | None = None
    runs_on: Node | None = None
    environment: Node | None = None
    outputs: Node | None = None
    env: Node | None = None
    defaults: Defaults = Defaults()
    steps: tuple[Step, ...] = ()
    timeout_minutes: Node | None = None
    cancel_timeout_minutes: Node | None = None
    continue_on_error: Node | None = None
    container: Node | None = None
    services: Node | None = None
    snapshot: Node | None = None
    call: ReusableCall | None = None
    artifacts: tuple[Text, ...] = ()
    env_file: Text | None = None
    retry: RetryRule | None = None
    priority: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A whole workflow file.

    Attributes:
        path: the file's name as it was given to the parser.
        triggers: one per event of `on:`, in the file's order.
        jobs: in the file's order.
    """

    path: str
    span: Span
    name: Text | None = None
    run_name: Scalar | None = None
    triggers: tuple[Trigger, ...] = ()
    permissions: Node | None = None
    env: Node | None = None
    defaults: Defaults = Defaults()
    concurrency: Node | None = None
    jobs: Mapping[JobKey, Job] = field(default_factory=dict)
    env_file: Text | None = None
    priority: int | None = None
