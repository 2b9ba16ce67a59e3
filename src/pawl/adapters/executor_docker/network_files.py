"""A job's own `/etc/hosts` and its like, where it joins a holder.

The engine would mount the holder's into every container that joins it, writable: what one job wrote there
would decide which addresses the next one talks to. A mount of the job's own takes their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pawl.adapters.executor_docker.hardening import bind_mount


def mount_network_files(folder: Path, files: Mapping[str, str]) -> list[dict[str, Any]]:
    """Write a job's copies into its folder, and return their mounts.

    Args:
        folder: the job's, which is private.
        files: content by inside path.

    Raises:
        OSError: they cannot be written.
    """
    mounts = []
    for inside, content in files.items():
        path = folder / f"etc-{PurePosixPath(inside).name}"
        path.write_text(content, encoding="utf-8")
        path.chmod(0o644)  # whoever the container's user is, it reads them
        mounts.append(bind_mount(str(path), inside))
    return mounts
