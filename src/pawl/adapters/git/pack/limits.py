"""What a packed source may cost the one who unpacks it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PackLimits:
    """Limits of a packed source.

    Attributes:
        header: bytes of the line before the pack.
        files: in the commit. A tree that holds itself many times over is counted file by file.
        size: bytes of all files together, and of the pack itself.
        seconds: that git may go without telling anything.
    """

    header: int = 4096
    files: int = 1_000_000
    size: int = 20 * 1024**3
    seconds: float = 1800.0
