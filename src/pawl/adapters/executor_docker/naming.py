"""Names and labels of what we make on an engine, so that it can be found and removed by label only."""

from __future__ import annotations

import re

from pawl.core.model.errors import UsageError

SANDBOX = "pawl.sandbox"
OWNER = "pawl.owner"
ROLE = "pawl.role"

INSIDE = "/pawl"
"""Where the job's folders are mounted; nothing a workflow names may lie in it (reliability R23)."""

_IMAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}")


def container_name(sandbox: str, part: str | None = None) -> str:
    """Return the name of a container, network or volume of a sandbox."""
    return f"pawl-{sandbox}" if part is None else f"pawl-{sandbox}-{part}"


def labels(sandbox: str, owner: str, role: str) -> dict[str, str]:
    """Return the labels of a container, network or volume of a sandbox."""
    return {SANDBOX: sandbox, OWNER: owner, ROLE: role}


def check_image_name(name: str) -> str:
    """Return the name, if it can be one: no blank, no option, no URL.

    Raises:
        UsageError: it cannot.
    """
    if not _IMAGE_NAME.fullmatch(name) or "//" in name:
        raise UsageError(f"{name!r} is not the name of an image", hint="write it as [registry/]name[:tag]")
    return name
