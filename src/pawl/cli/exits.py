"""The exit codes: a contract with scripts, see docs/reference/exit-codes.md."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says at its end."""

    SUCCESS = 0
    """It was done, or the check found nothing."""
    FAILED = 1
    """The run failed or was cancelled, or the check found errors."""
    USAGE = 2
    """Wrong use or configuration: a bad option, a missing file, an unknown workflow."""
    FAULT = 3
    """Not your fault: the engine, the registry, the disk, or Pawl itself."""
    INTERRUPTED = 130
    """Ctrl-C ended it (128 + SIGINT, as shells say)."""
    PIPE_CLOSED = 141
    """Whoever read the output stopped reading (128 + SIGPIPE, as for any other program)."""
