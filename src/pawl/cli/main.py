"""The `pawl` command: the entry point. Commands are loaded when they are called, not before."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from pawl.cli.version import VERSION

# A workflow of a megabyte becomes half a million values that all stay: looking for garbage among them after
# every 700 new ones would take a third of the time of reading it.
_GARBAGE_AFTER = 50_000

_INTERRUPTED = 130
"""`exits.ExitCode.INTERRUPTED`, which is not loaded yet when it may be needed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code (docs/reference/exit-codes.md)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if list(arguments) == ["--version"]:
        # Asked by scripts before every call: not worth the 50 ms that importing click takes.
        sys.stdout.write(f"pawl {VERSION}\n")
        return 0
    gc.set_threshold(_GARBAGE_AFTER)
    try:
        from pawl.cli.application import run  # noqa: PLC0415 - lazy, see above

        return run(arguments)
    except KeyboardInterrupt:  # before a command could take care of it, or after it had ended
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
