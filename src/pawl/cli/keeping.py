"""Who owns a sandbox: the process that runs it, and after that a run that keeps it for `pawl shell`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pawl.adapters.runs_folder import (
    LeftWork,
    RunFolder,
    is_owner_alive,
    is_owner_token,
    owner_token,
    sweep_work,
    work_home,
)
from pawl.core.model.run_events import JobFinished

_SEPARATOR = "|"
_MARK = "kept.json"
_WORKER = "pawlw1/"
"""How the owner begins of what jobs of a worker have left (`pawl.worker.main`)."""


def keeping_owner(folder: RunFolder) -> str:
    """Return the owner token of a run whose sandboxes may outlive this process."""
    return f"{owner_token()}{_SEPARATOR}{folder.path.absolute()}"


def mark_kept(folder: RunFolder, sandboxes: list[str]) -> None:
    """Note in the run's folder that sandboxes stay, so that no sweep takes them.

    Raises:
        OSError: the disk refused.
    """
    (folder.path / _MARK).write_text(json.dumps(sandboxes), encoding="utf-8")


def forget_kept(folder: RunFolder) -> None:
    """Give the kept sandboxes of a run up: the next sweep removes them."""
    (folder.path / _MARK).unlink(missing_ok=True)


def sweep_folders(is_wanted: Callable[[str], bool], *, dry_run: bool = False) -> LeftWork:
    """Remove the folders of jobs whose runs were killed, of any project on this machine.

    Their sandboxes must have been swept: what a container still writes there may be nobody's to remove.

    Args:
        is_wanted: told the owner token of a run's sandboxes, as `is_alive` is.
        dry_run: only look.
    """
    return sweep_work(work_home(), lambda owner, run: is_wanted(f"{owner}{_SEPARATOR}{run}"), dry_run=dry_run)


def is_alive(token: str) -> bool:
    """Return whether a sandbox's owner still wants it: its process lives, or its run keeps it."""
    _, separator, path = token.partition(_SEPARATOR)
    return is_process_alive(token) or bool(separator and (Path(path) / _MARK).is_file())


def is_process_alive(token: str) -> bool:
    """Return whether a sandbox's owner lives, whether or not its run keeps it.

    What has an owner of a kind that we do not know is not ours to judge: it counts as alive.
    """
    process = token.partition(_SEPARATOR)[0]
    return not is_owner_token(process) or is_owner_alive(process)


def has_known_owner(token: str) -> bool:
    """Return whether a sandbox's owner is of a known kind: a run, or a worker, which sweeps its own."""
    return is_owner_token(token.partition(_SEPARATOR)[0]) or token.startswith(_WORKER)


def kept_sandboxes(folder: RunFolder) -> dict[str, str]:
    """Return the sandboxes that a run keeps: job id to sandbox name."""
    try:
        names = set(json.loads((folder.path / _MARK).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}
    return {
        event.job: event.kept_sandbox
        for event in folder.events()
        if isinstance(event, JobFinished) and event.kept_sandbox in names and event.kept_sandbox
    }
