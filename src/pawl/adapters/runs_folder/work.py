"""The folders that jobs work in: outside the project, so that no tool that searches upwards finds it.

    WORK/12-x3k9q2pd/           one for each run that is going on, ours alone (0700)
        .owner.json             who made it, for which run: what tells later that it was left behind
        5f0c7d21/               the folders of its jobs

WORK is `PAWL_WORK`, else `pawl/work` in the user's cache folder (XDG Base Directory Specification).
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pawl.adapters.runs_folder.removal import remove_tree
from pawl.core.model.errors import InfrastructureError

_OWNER = ".owner.json"
_UNFINISHED = ".new-"
_UNFINISHED_FOR = 3600
"""Seconds after which a folder that was never given an owner is taken for left behind."""


@dataclass(frozen=True, slots=True)
class LeftWork:
    """What a sweep did: the folders whose owners are dead, and what of them could not be removed."""

    found: tuple[Path, ...]
    not_removed: tuple[str, ...]


def work_home(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where runs get their folders, absolute; it need not exist.

    Raises:
        InfrastructureError: nothing says where the user's folders are.
    """
    wanted = environment.get("PAWL_WORK")
    if wanted:
        return Path(wanted).expanduser().absolute()
    cache = environment.get("XDG_CACHE_HOME", "")
    if cache.startswith("/"):  # the specification: relative ones are to be ignored
        return Path(cache, "pawl", "work")
    try:
        return Path.home() / ".cache" / "pawl" / "work"
    except RuntimeError as error:
        raise InfrastructureError(
            "There is no home folder for the folders of jobs", hint="set PAWL_WORK to a folder for them"
        ) from error


def make_work(home: Path, run: Path, owner: str) -> Path:
    """Make the folder in which the jobs of a run get folders of their own.

    Args:
        home: where it is made (`work_home`); made too where it is missing.
        run: the run's folder, `.../.pawl/runs/12`.
        owner: token of the process that will remove it.

    Raises:
        InfrastructureError: the disk refused, or somebody else owns `home`.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=home))
        told = {"owner": owner, "run": str(run.absolute())}
        (aside / _OWNER).write_text(json.dumps(told), encoding="utf-8")
        # Visible by its name only with its owner in it: a sweep never has to guess. The name is short: the
        # path of a socket, which a job may make deep below it, has room for a hundred characters.
        return aside.rename(home / f"{run.name}-{aside.name.removeprefix(_UNFINISHED)}")
    except OSError as error:
        raise InfrastructureError(
            f"Cannot make a folder for jobs in {home}: {error.strerror or error}",
            hint="free some disk space there, make it writable, or set PAWL_WORK to another folder",
        ) from error


def remove_work(folder: Path, run: Path) -> tuple[str, ...]:
    """Remove the folder that `make_work` made for a run; return what could not be removed, a sentence each.

    A folder that does not say itself that it is for this run stays: who wrote the run's record may have been
    somebody else, and have named any folder there.
    """
    told = _read_owner(folder)
    return _remove(folder) if told is not None and told[1] == str(run.absolute()) else ()


def _remove(folder: Path) -> tuple[str, ...]:
    """Remove a folder, its owner's name last: what could not be removed is found by the next sweep again."""
    left: list[str] = []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for entry in list(folder.iterdir()):
            if entry.name != _OWNER:
                left.extend(remove_tree(entry))
    return tuple(left) or remove_tree(folder)


def sweep_work(home: Path, is_wanted: Callable[[str, str], bool], *, dry_run: bool = False) -> LeftWork:
    """Remove the folders of runs that are over, of whatever project; others' folders are not looked into.

    Args:
        home: where the folders are.
        is_wanted: told owner and run's folder; whether the one lives or the other keeps its sandboxes.
        dry_run: only look.
    """
    found = [folder for folder in _folders(home) if _is_left(folder, is_wanted)]
    left = [] if dry_run else [text for folder in found for text in _remove(folder)]
    return LeftWork(tuple(found), tuple(left))


def _folders(home: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError), os.scandir(home) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False) and entry.stat().st_uid == os.getuid():
                    yield Path(entry.path)


def _is_left(folder: Path, is_wanted: Callable[[str, str], bool]) -> bool:
    """Return whether a folder is one of ours that nobody wants any more."""
    try:
        if folder.name.startswith(_UNFINISHED):
            return folder.stat().st_mtime < time.time() - _UNFINISHED_FOR
    except OSError:
        return False
    told = _read_owner(folder)
    return told is not None and not is_wanted(*told)


def _read_owner(folder: Path) -> tuple[str, str] | None:
    """Return owner and run that a folder names; None where it is not one that `make_work` made."""
    try:
        file = folder / _OWNER
        if not stat.S_ISREG(file.lstat().st_mode):
            return None
        told = json.loads(file.read_bytes())
        return str(told["owner"]), str(told["run"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
