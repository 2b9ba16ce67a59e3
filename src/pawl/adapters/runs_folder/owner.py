"""Who owns a run or a sandbox, in a form that tells later whether that process still lives.

A process id alone says little: ids are used again. The token holds the machine, its boot, the process's
name space, its id and its start; all five together name one process for ever.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "pawl1"
_DEAD_STATES = ("Z", "X", "x")
_WORD = re.compile(r"[^A-Za-z0-9.-]+")


def owner_token() -> str:
    """Return the token of this process: `pawl1/<host>/<boot>/<name space>/<pid>/<start>`.

    Its characters are letters, digits, `.`, `-` and `/`, so it fits in a label or an environment variable.
    """
    return _token_of(os.getpid())


def is_owner_token(text: str) -> bool:
    """Return whether `text` is a token that `owner_token` made, here or elsewhere."""
    return _Token.parse(text) is not None


def is_owner_alive(token: str) -> bool:
    """Return whether the process that `token` names still lives.

    False only when that is certain: the token of another machine, or of another container on this one,
    counts as alive. A text that is no token at all has no owner.
    """
    there = _Token.parse(token)
    if there is None:
        return False
    here = _Token.parse(owner_token())
    if here is None or there.host != here.host:
        return True
    if there.boot != here.boot:
        return False
    if there.namespace != here.namespace:
        return True
    start = _start_of(there.pid)
    return start is not None and (start == there.start or "unknown" in (start, there.start))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    host: str
    boot: str
    namespace: str
    pid: int
    start: str

    @classmethod
    def parse(cls, token: str) -> _Token | None:
        match token.split("/"):
            case [prefix, host, boot, namespace, pid, start] if (
                prefix == _PREFIX and pid.isdecimal() and len(pid) < 12
            ):
                return cls(host=host, boot=boot, namespace=namespace, pid=int(pid), start=start)
            case _:
                return None


def _token_of(pid: int) -> str:
    start = _start_of(pid) or "unknown"
    return "/".join((_PREFIX, _word(socket.gethostname()), _boot(), _namespace(), str(pid), start))


def _word(text: str) -> str:
    return _WORD.sub("-", text) or "unknown"


def _boot() -> str:
    try:
        return _word(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
    except OSError:
        return "none"


def _namespace() -> str:
    try:
        return _word(Path("/proc/self/ns/pid").readlink().name)
    except OSError:
        return "none"


def _start_of(pid: int) -> str | None:
    """Return when the process started, `unknown` when it lives and that cannot be told, None when dead."""
    try:
        # proc(5): the name in brackets may hold anything, so count the fields from its closing one.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return _start_by_ps(pid) if _answers(pid) else None
    if len(fields) < 20 or fields[0] in _DEAD_STATES:
        return None
    return _word(fields[19])


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def _start_by_ps(pid: int) -> str:
    """Return the start as `ps` tells it: for systems without /proc, and where it hides others' processes."""
    try:
        told = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)],
            capture_output=True,
            check=False,
            timeout=5,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return _word(told.stdout.decode("utf-8", "replace").strip())
