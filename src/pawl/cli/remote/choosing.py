"""Whether a run's number means a run of this project or one of a server."""

from __future__ import annotations

from collections.abc import Collection

from pawl.cli.remote.options import Asked
from pawl.cli.remote.place import default_data, local_address


def ask_server(asked: Asked, run: str | None, local: Collection[int]) -> bool:
    """Return whether to ask a server: one was named, or this machine has one and the project no such run.

    Args:
        asked: what was said about the server.
        run: as it was typed; None or `latest` for the latest.
        local: numbers of this project's runs.
    """
    if asked.is_configured:
        return True
    digits = (run or "").removeprefix("#")
    known = int(digits) in local if digits.isascii() and digits.isdecimal() else bool(local)
    return not known and local_address(default_data()) is not None
