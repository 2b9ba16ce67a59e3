"""What the steps of one job work with, and what they leave for each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from pawl.core.model.ids import JobId
from pawl.core.steps.masking import SecretSet
from pawl.engine.execution.environment import SharedEnvironment
from pawl.engine.execution.folders import JobFolder
from pawl.engine.execution.matching import JobMatchers
from pawl.engine.execution.request import ExecutionLimits
from pawl.ports.artifacts import ArtifactStore, Manifest
from pawl.ports.clock import Clock
from pawl.ports.executor import ImageFacts, ImageRef, Progress, Sandbox
from pawl.ports.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The job's machine as its steps find it.

    Attributes:
        in_container: whether the workflow asked for `container:`; an unspecified shell is `sh` then.
        programs: shells that are in its PATH.
        inherited_path: PATH before anybody adds to it.
        system: the variables that Pawl sets for every step.
        event_path: where the event's payload is, inside.
        other_user: whether steps run as a user that is neither root nor us.
    """

    sandbox: Sandbox
    folder: JobFolder
    in_container: bool
    programs: frozenset[str]
    inherited_path: str
    system: Mapping[str, str]
    event_path: str
    other_user: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What steps may reach beyond their machine.

    Attributes:
        pull: makes an image be there, for actions that run in one.
        probe: raises InfrastructureError when the executor cannot be used any more.
        bound: whether the workspace is the user's own folder.
        job: whose steps these are, and `attempt` which time it runs.
        kept: told of every artifact that was stored.
    """

    source: Source
    artifacts: ArtifactStore
    pull: Callable[[ImageRef, Progress], Awaitable[ImageFacts]]
    probe: Callable[[], Awaitable[object]]
    bound: bool
    job: JobId
    attempt: int
    kept: Callable[[Manifest], None]


@dataclass(slots=True, kw_only=True)
class Handover:
    """What steps leave for the steps after them. One a job.

    Attributes:
        environment: GITHUB_ENV and GITHUB_PATH; the job's own `env` is in it from the start.
        summaries: the step summaries in order, masked.
    """

    environment: SharedEnvironment
    process_numbers: Iterator[int] = field(default_factory=count)
    summaries: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What the steps of one job work with. `debug`: whether step debugging is on (ACTIONS_STEP_DEBUG)."""

    machine: Machine
    outside: Outside
    handover: Handover
    matchers: JobMatchers
    secrets: SecretSet
    clock: Clock
    limits: ExecutionLimits
    debug: bool = False
