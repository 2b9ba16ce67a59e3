"""The environment with which a job's steps begin: the workflow's `env`, the `env_file`, the job's `env`."""

from __future__ import annotations

from pathlib import Path

from pawl.core.expressions import ObjectValue
from pawl.core.model.errors import UsageError
from pawl.core.planning.variables import substitute
from pawl.engine.execution.environment import parse_env_lines
from pawl.engine.execution.folders import read_workspace_file
from pawl.engine.execution.request import JobRequest
from pawl.engine.execution.steps.evaluation import Evaluator

MAX_ENV_FILE = 1_048_576
"""Bytes of an `env_file`."""


def job_environment(job: JobRequest, evaluator: Evaluator) -> dict[str, str]:
    """Return the job's environment; texts that outsiders control stay marked.

    The `env_file` is below the job's `env` and over the workflow's.

    Raises:
        UsageError: a template cannot be evaluated, or the file is not there or cannot be read.
    """
    outer = evaluator.mapping(job.run.plan.env, where="env")
    env = dict(outer)
    if job.planned.env_file is not None:
        name = evaluator.text(job.planned.env_file, where="env_file")
        env |= _read_env_file(substitute(name, outer, strict=job.run.strict_variables), job.run.project)
    inner = evaluator.with_contexts(env=ObjectValue(env, case_sensitive=True))
    return env | inner.mapping(job.planned.env, where=f"jobs.{job.planned.key}.env")


def _read_env_file(name: str, project: Path) -> dict[str, str]:
    content = read_workspace_file(project, name, limit=MAX_ENV_FILE)
    if content is None:
        raise UsageError(
            f"`env_file: {name[:100]}` is no file in {project}", hint="check its path and spelling"
        )
    if len(content) > MAX_ENV_FILE:
        raise UsageError(f"`env_file: {name[:100]}` is longer than 1 MiB")
    variables, wrong = parse_env_lines(content.decode("utf-8", "replace"))
    if wrong:
        lines = ", ".join(map(str, wrong[:10]))
        raise UsageError(
            f"`env_file: {name[:100]}` has lines that are no variables: {lines}",
            hint="write `NAME=value`, one a line",
        )
    return variables
