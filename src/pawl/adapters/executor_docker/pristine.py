"""Whether nothing was ever sent in a network name space, so that the next job may have it as it is.

Who sends nothing opens no connection, and answers none: nothing lingers, no route is learnt and no address
cached, and a socket goes with its process. (What the engine's bridge says to all is received without that.)
The kernel counts what is sent in each name space, over the loopback too, and a job cannot set its counters
back (RFC 4293, ipSystemStatsOutRequests, as `net/snmp` and `net/snmp6` in proc(5) show it).
"""

from __future__ import annotations

from pathlib import Path

PROC = Path("/proc")
_SENT = "OutRequests"


def is_pristine(process: int, command: bytes, proc: Path = PROC) -> bool:
    """Return whether the name space of a process has sent no packet; false where that cannot be known.

    Args:
        process: its id, as the engine says it.
        command: its arguments, as the kernel shows them: the id may be another's where the engine sees
            other processes than we do.
        proc: the kernel's folder of processes.
    """
    folder = proc / str(process)
    try:
        if (folder / "cmdline").read_bytes() != command:
            return False
        sent = _read_old(folder / "net" / "snmp") + _read_new(folder / "net" / "snmp6")
        # Asked again: a process that has ended meanwhile may have given its id to another.
        return (folder / "cmdline").read_bytes() == command and sent == 0
    except (OSError, ValueError, KeyError):
        return False


def _read_old(path: Path) -> int:
    """Return IPv4's counter: a line of names, and one of values."""
    names, values = (line.split() for line in path.read_text().splitlines() if line.startswith("Ip:"))
    return int(dict(zip(names, values, strict=True))[_SENT])


def _read_new(path: Path) -> int:
    """Return IPv6's counter: a name and a value a line; 0 where the kernel has no IPv6."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return 0
    return int(dict(line.split() for line in lines)[f"Ip6{_SENT}"])
