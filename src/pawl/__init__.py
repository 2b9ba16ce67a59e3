"""Pawl: a self-hosted CI/CD server that runs GitHub Actions workflows.

For other tools, `pawl.parse_workflow`, `pawl.evaluate` and `pawl.plan` are a stable API:

    import pawl
    planned = pawl.plan(text)                   # what the workflow in `text` would do, and why
    [job.key for job in planned.plan.jobs]
    pawl.evaluate("github.ref_name == 'main'", {"github": {"ref_name": "main"}})  # True
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["Event", "Parsed", "Planned", "evaluate", "parse_workflow", "plan"]


def __getattr__(name: str) -> Any:
    """Return a part of the API. Only now is it imported, so that the command line starts fast."""
    if name in __all__:
        return getattr(importlib.import_module("pawl.core.planning.api"), name)
    raise AttributeError(f"module 'pawl' has no attribute {name!r}")
