"""What an engine has said of itself, kept for the processes of jobs.

To say its version and facts the engine starts two or three programs of its own; a job would wait for that.
The worker asks every half a minute anyway.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from pawl.adapters.executor_docker.engine import EngineFacts

_FRESH = 5 * 60.0


def remember(path: Path, address: str, version: str, facts: EngineFacts) -> None:
    """Write what the engine at an address has said; a disk that refuses only costs time.

    Args:
        path: the file.
        address: the engine's.
        version: of the API that was agreed on, as in `v1.41`.
        facts: what it said.
    """
    told = {"address": address, "version": version, "facts": asdict(facts)}
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside.write_text(json.dumps(told), encoding="utf-8")
        aside.replace(path)


def recall(path: Path, address: str) -> tuple[str, EngineFacts] | None:
    """Return version and facts of the engine at an address; None where nobody asked it lately."""
    try:
        if time.time() - path.stat().st_mtime > _FRESH:
            return None
        told = json.loads(path.read_bytes())
        if told["address"] != address:
            return None
        return str(told["version"]), EngineFacts(**told["facts"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
