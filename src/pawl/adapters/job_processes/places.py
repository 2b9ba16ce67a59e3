"""The names of files in an attempt's folder, and writing them whole."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from pawl.core.model.plan import Json

PROCESS = "process.json"
LOCK = "lock"
WAKE = "wake"
STOP = "stop.json"
OUT = "out.txt"
ERR = "err.txt"


def write_json(path: Path, told: Json) -> None:
    """Write a small file beside its name and rename it: a reader sees all of it or nothing.

    Raises:
        OSError: the disk refused.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        aside.write_text(json.dumps(told), encoding="utf-8")
        aside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise


def read_json(path: Path) -> dict[str, Json]:
    """Return what a small file holds; nothing where there is none that can be read."""
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
