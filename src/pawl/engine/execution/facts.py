"""Facts about the run and the machine for the contexts `github` and `runner`."""

from __future__ import annotations

import platform
import sys

from pawl.core.planning.contexts import RunFacts
from pawl.engine.execution.request import RunRequest

_ARCHITECTURES = {
    "x86_64": "X64", "amd64": "X64", "aarch64": "ARM64", "arm64": "ARM64", "armv7l": "ARM", "i686": "X86",
}  # fmt: skip
_SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


def run_facts(request: RunRequest, *, attempt: int = 1) -> RunFacts:
    """Return what `github` says about the run; `attempt` is the job's, for a run that has none of its own."""
    token = request.secrets.get("GITHUB_TOKEN", "")
    return RunFacts(
        run_id=request.run_id or str(request.number),
        run_number=request.number,
        run_attempt=request.run_attempt or attempt,
        more={"token": token},
    )


DEBUG_SWITCHES = frozenset({"ACTIONS_STEP_DEBUG", "ACTIONS_RUNNER_DEBUG"})
"""Secrets that are none: switches. Masking `true` everywhere would help nobody."""


def is_debugging(request: RunRequest) -> bool:
    """Return whether the secret or variable ACTIONS_STEP_DEBUG is `true` (GitHub docs, debug logging)."""
    given = request.secrets.get("ACTIONS_STEP_DEBUG") or request.plan.variables.get("ACTIONS_STEP_DEBUG")
    return given is not None and given.strip().lower() == "true"


def runner_system(*, in_containers: bool) -> str:
    """Return `runner.os`: containers are Linux wherever they run."""
    return "Linux" if in_containers else _SYSTEMS.get(sys.platform, "Linux")


def runner_architecture() -> str:
    """Return `runner.arch`."""
    return _ARCHITECTURES.get(platform.machine().lower(), platform.machine().upper() or "X64")
