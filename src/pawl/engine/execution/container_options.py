"""`options:` of containers and services as the executor port takes them."""

from __future__ import annotations

from typing import Any

from pawl.core.model.errors import UsageError
from pawl.core.workflow.container_options import parse_container_options
from pawl.ports.executor import ContainerOptions, Limits

_LIMITS = ("memory", "cpus", "pids")


def container_options(text: str, *, where: str) -> ContainerOptions:
    """Return the typed options of a rendered `options:` text.

    Args:
        text: words of `docker create`.
        where: the place in the workflow, for messages.

    Raises:
        UsageError: a word is not on the list of allowed ones, or cannot be read; all of them are named.
    """
    parsed = parse_container_options(text)
    if parsed.problems:
        told = "; ".join(f"`{problem.option}` {problem.message}" for problem in parsed.problems)
        raise UsageError(
            f"{where}: {told}",
            hint="nothing a workflow says may loosen isolation; take the option out",
        )
    fields: dict[str, Any] = dict(parsed.fields)
    limits = {name: fields.pop(name) for name in _LIMITS if name in fields}
    return ContainerOptions(**fields, limits=Limits(**limits))
