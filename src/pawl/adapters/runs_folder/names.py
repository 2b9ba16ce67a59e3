"""File names for jobs and artifacts: whatever a name holds, its file name is safe and its own."""

from __future__ import annotations

import hashlib
import re

_LONGEST = 120
"""Characters; file systems allow 255 bytes, and endings are added."""

_UNSAFE = re.compile(rb"[^A-Za-z0-9_-]")


def folder_name(name: str) -> str:
    """Return the folder name for a job or artifact: `build` stays, `build#3` is `build.3`.

    Different names give different folder names (on file systems that tell case apart). The result holds
    letters, digits, `_`, `-`, `.` and `%` only, never begins with a dot, and is never longer than 120.
    """
    raw = name.encode("utf-8", "surrogatepass")
    safe = _UNSAFE.sub(_escaped, raw).decode("ascii") or "%"
    if safe.startswith("."):
        safe = "%23" + safe[1:]
    if len(safe) <= _LONGEST:
        return safe
    return f"{safe[:80]}%{hashlib.sha256(raw).hexdigest()[:32]}"


def _escaped(match: re.Match[bytes]) -> bytes:
    # The `#` of a matrix combination is common and dots are escaped, so one can stand for the other.
    return b"." if match[0] == b"#" else b"%%%02x" % match[0][0]
