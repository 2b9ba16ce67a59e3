"""How much memory processes take."""

from __future__ import annotations

from pathlib import Path


def proportional_memory(process: int) -> int:
    """Return the bytes a process takes, what it shares counted by its share (PSS)."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text("ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {process} tells no memory")


def descendants(process: int) -> list[int]:
    """Return a process and all that it has started, directly or not, and that still run."""
    found = [process]
    for known in found:
        for thread in Path(f"/proc/{known}/task").iterdir():
            found += [int(child) for child in (thread / "children").read_text("ascii").split()]
    return found
