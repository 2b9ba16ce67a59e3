"""The end of a job: its outputs, its artifacts, and taking everything down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from pawl.core.expressions import Untrusted
from pawl.core.model.errors import PawlError, UsageError
from pawl.core.model.plan import Json
from pawl.core.planning.variables import substitute
from pawl.core.steps.masking import SecretSet
from pawl.engine.execution.artifacts import check_names, collect_files, keep_artifact, tell_kept
from pawl.engine.execution.bench import Bench
from pawl.engine.execution.folders import JobFolder, remove_folder
from pawl.engine.execution.processes import ends_first
from pawl.engine.execution.request import ExecutionLimits, JobRequest
from pawl.engine.execution.steps.evaluation import Evaluator
from pawl.ports.clock import Clock
from pawl.ports.executor import Sandbox

MAX_OUTPUT = 1_048_576
"""Characters of one job output (GitHub documentation, "Defining outputs for jobs")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutputs:
    """What a job hands to those that need it.

    Attributes:
        untrusted: names of the values that outsiders had a hand in.
        faults: why an output cannot be evaluated; fails the job.
        dropped: why an output is left out though it could be evaluated.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    untrusted: frozenset[str] = frozenset()
    faults: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(slots=True)
class JobEnd:
    """What is known at the end of a job. `notes` are lines for the log of its last step."""

    outputs: JobOutputs = JobOutputs()
    summary: str = ""
    notes: list[str] = field(default_factory=list)
    kept_sandbox: str | None = None


def job_outputs(outputs: Json, evaluator: Evaluator, secrets: SecretSet) -> JobOutputs:
    """Return a job's outputs, evaluated also when it failed.

    Empty ones and those that hold a secret are left out (actions/runner JobExtension.cs FinalizeJob).
    """
    if outputs is None:
        return JobOutputs()
    if not isinstance(outputs, dict):
        return JobOutputs(faults=("`outputs` of the job is not a mapping",))
    values: dict[str, str] = {}
    faults, dropped = [], []
    for name, template in outputs.items():
        try:
            value = evaluator.text(template, where=f"outputs.{name}")
        except UsageError as error:
            faults.append(error.message)
            continue
        if secrets.contains_secret(value):
            dropped.append(f"the output `{name}` is left out: it may hold a secret")
        elif len(value) > MAX_OUTPUT:
            dropped.append(f"the output `{name}` is left out: it is longer than 1 MiB")
        elif value:
            values[name] = value
    untrusted = frozenset(name for name, value in values.items() if isinstance(value, Untrusted))
    return JobOutputs(
        values={name: str(value) for name, value in values.items()},
        untrusted=untrusted,
        faults=tuple(faults),
        dropped=tuple(dropped),
    )


async def store_artifacts(job: JobRequest, bench: Bench, evaluator: Evaluator) -> list[str]:
    """Keep what the job's `artifacts` globs select, also when it failed; return lines for the log.

    Raises:
        UsageError: a glob is not valid, or a limit was passed.
        InfrastructureError: the disk refused.
    """
    if not job.planned.artifacts:
        return []
    machine, env = bench.machine, bench.handover.environment.variables
    globs = [
        substitute(evaluator.text(glob, where="artifacts"), env, strict=job.run.strict_variables)
        for glob in job.planned.artifacts
    ]
    await machine.sandbox.fetch([machine.folder.workspace])
    collected = await asyncio.to_thread(
        collect_files,
        globs,
        machine.folder.workspace,
        inside=machine.sandbox.workspace,
        home=machine.sandbox.home,
    )
    name = artifact_name(job)
    check_names(name, collected, bench.secrets)
    kept = await asyncio.to_thread(keep_artifact, bench.outside.artifacts, name, job.id, collected)
    lines = [f"##[warning]{warning}" for warning in kept.warnings]
    if kept.manifest is not None:
        bench.outside.kept(kept.manifest)
        lines.append(tell_kept(kept.manifest))
    return lines


def artifact_name(job: JobRequest) -> str:
    """Return the name of what a job's `artifacts` make: its id, and which attempt after the first."""
    name = job.id.replace("#", "-")
    return name if job.attempt == 1 else f"{name}-attempt-{job.attempt}"


async def clean_up(
    sandbox: Sandbox | None,
    folder: JobFolder | None,
    *,
    keep: bool,
    clock: Clock,
    limits: ExecutionLimits,
) -> tuple[bool, tuple[str, ...]]:
    """Close the sandbox and remove the job's folder; return whether it was kept, and what people should know.

    That is what was left behind, and which services had ended by themselves.

    Never raises. What cannot be taken down in time is left to the next sweep.
    """
    left: list[str] = []
    kept = keep and sandbox is not None
    if sandbox is not None:
        closing = asyncio.ensure_future(sandbox.close(keep=kept))
        if not await ends_first(closing, clock.sleep(limits.close_timeout)):
            closing.cancel()
            left.append("taking the sandbox down takes too long; `pawl doctor --clean` removes what is left")
        elif not closing.cancelled() and (error := closing.exception()) is not None:
            left.append(f"the sandbox could not be taken down: {_message(error)}")
        elif not closing.cancelled():
            left.extend(closing.result())
    if folder is not None and not kept:
        problem = await asyncio.to_thread(remove_folder, folder.root)
        if problem is not None:
            left.append(f"the job's folder could not be removed: {problem}")
    return kept, tuple(left)


def _message(error: BaseException) -> str:
    return error.message if isinstance(error, PawlError) else f"{type(error).__name__}: {error}"
