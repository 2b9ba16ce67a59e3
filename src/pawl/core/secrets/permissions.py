"""What a job's token may do: `permissions:` as a mapping (GitHub docs, "permissions")."""

from __future__ import annotations

from collections.abc import Mapping

from pawl.core.model.plan import Json
from pawl.core.workflow.grammar.workflow import PERMISSIONS

DEFAULT: Mapping[str, str] = {"contents": "read", "packages": "read"}
"""Where a workflow says nothing: GitHub's restricted default."""


def token_permissions(job: Json, workflow: Json, *, writes: bool) -> dict[str, str]:
    """Return name and level (`read`, `write`) of what a job's token may do; what is left out is nothing.

    Args:
        job: its `permissions:`, None for none, as `workflow`, whose count then.
        workflow: the workflow's.
        writes: whether any level may be `write`; else it becomes `read`.
    """
    wanted = next((each for each in (job, workflow) if each is not None), dict(DEFAULT))
    if isinstance(wanted, str):
        level = wanted.removesuffix("-all")
        wanted = dict.fromkeys(PERMISSIONS, level)
    given = wanted.items() if isinstance(wanted, dict) else ()
    return {name: str(level) if writes else "read" for name, level in given if level in ("read", "write")}
