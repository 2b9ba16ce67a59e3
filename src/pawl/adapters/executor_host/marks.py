"""Finding a job's processes by a mark in their environment, and ending them.

A process group is left by any program that calls `setsid`, and a parent is lost by a double fork, but the
environment a process was started with stays readable in /proc until it ends. Every process of a job carries
`PAWL_SANDBOX`: one word for each sandbox it is in, the innermost last (Pawl may run inside Pawl).
A job that wants to escape can (`env -i setsid ...`); the host executor isolates nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

VARIABLE = "PAWL_SANDBOX"
_ASSIGNED = b"\0" + VARIABLE.encode() + b"="
_PROC = Path("/proc")
_MUCH = 65_536
_ROUNDS = 200
_PAUSE = 0.005


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose process it is: the owner, the sandbox and the process as their specs call them."""

    owner: str
    sandbox: str
    process: str

    def text(self) -> str:
        """Return the mark as one word of the variable."""
        return "/".join(quote(part, safe="") for part in (self.owner, self.sandbox, self.process))

    def same_sandbox(self, other: Mark) -> bool:
        """Return whether both are in one sandbox."""
        return (self.owner, self.sandbox) == (other.owner, other.sandbox)


def variable_for(mark: Mark) -> str:
    """Return the variable's value for a process started by this one, which may itself be in a sandbox."""
    return f"{os.environ.get(VARIABLE, '')} {mark.text()}".strip()


def marks_of(pid: int) -> tuple[Mark, ...]:
    """Return the marks of a process; none for a process that ended, is not ours, or is no job's."""
    return _marks_in(_environment_of(pid))


def _marks_in(environment: bytes) -> tuple[Mark, ...]:
    _, found, rest = (b"\0" + environment).partition(_ASSIGNED)
    if not found:
        return ()
    words = rest.partition(b"\0")[0].decode("ascii", "replace").split()
    parts = (word.split("/") for word in words)
    return tuple(Mark(*map(unquote, part)) for part in parts if len(part) == 3)


def _environment_of(pid: int) -> bytes:
    """Return the variables of a process; nothing for one that has none just now or may not be looked at."""
    # Every process of the machine is looked at when a job ends: file objects would take most of the time.
    try:
        file = os.open(f"/proc/{pid}/environ", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return b"".join(iter(lambda: os.read(file, _MUCH), b""))
    except OSError:
        return b""
    finally:
        os.close(file)


def _pids() -> Iterator[int]:
    """Yield every process of this machine but this one; nothing where there is no /proc."""
    try:
        names = os.listdir(_PROC)  # noqa: PTH208 - strings are all that is needed, and there may be thousands
    except OSError:
        return
    own = os.getpid()
    yield from (int(name) for name in names if name.isdigit() and int(name) != own)


def find_foreign_marks() -> tuple[Mark, ...]:
    """Return one mark for each sandbox that has processes, sandboxes this process is itself in left out."""
    own = marks_of(os.getpid())
    found: dict[tuple[str, str], Mark] = {}
    for pid in _pids():
        for mark in marks_of(pid):
            if not any(mark.same_sandbox(mine) for mine in own):
                found.setdefault((mark.owner, mark.sandbox), mark)
    return tuple(found.values())


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:
        return 0


def signal_marked(
    belongs: Callable[[Mark], bool],
    number: signal.Signals,
    skip_group: int = 0,
    others: set[int] | None = None,
) -> int:
    """Send a signal to every process with a mark that belongs; return how many there were.

    Those in the process group `skip_group` are left out: they had the signal already. So are `others`, to
    which those with variables and without such a mark are added.

    Processes that only wait to be collected by their parent have no environment and do not count.
    """
    count = 0
    others = set() if others is None else others
    for pid in _pids():
        if pid in others:
            continue
        environment = _environment_of(pid)
        if not any(map(belongs, _marks_in(environment))):
            # One that shows none may be about to become another program, and is looked at again.
            if environment:
                others.add(pid)
            continue
        if skip_group and _group_of(pid) == skip_group:
            continue
        try:
            handle = os.pidfd_open(pid)
        except OSError:
            continue
        try:
            # Looked at again, now that the handle keeps the number from meaning another process.
            if any(map(belongs, marks_of(pid))):
                signal.pidfd_send_signal(handle, number)
                count += 1
        except OSError:
            pass
        finally:
            os.close(handle)
    return count


async def kill_marked(belongs: Callable[[Mark], bool]) -> None:
    """Kill every process with a mark that belongs, again and again until none is left (at most a second).

    They are stopped first, so that one that forks without end cannot outrun its killer.
    """
    for _ in range(_ROUNDS):
        # Looked at once a round: who is not of the job does not become so, only a new process may be.
        others: set[int] = set()
        await asyncio.to_thread(signal_marked, belongs, signal.SIGSTOP, others=others)
        if not await asyncio.to_thread(signal_marked, belongs, signal.SIGKILL, others=others):
            return
        await asyncio.sleep(_PAUSE)
