"""What a mirror may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorLimits:
    """Limits of mirrors.

    Attributes:
        seconds: for one fetch as a whole, and for waiting until another process has fetched.
        stall: seconds without a byte from the host.
        size: bytes of a mirror's packs.
        workflows: workflow files of a commit.
        workflow_size: bytes of one workflow file.
    """

    seconds: float = 900.0
    stall: float = 60.0
    size: int = 20 * 1024**3
    workflows: int = 200
    workflow_size: int = 1024**2
