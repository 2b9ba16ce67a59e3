"""The folder `.pawl/runs`: a numbered folder for every run, found again by number."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from pawl.adapters.runs_folder.logs import DEFAULT_LOG_CAP
from pawl.adapters.runs_folder.owner import owner_token
from pawl.adapters.runs_folder.record import RunRecord, RunState, read_record, write_record
from pawl.adapters.runs_folder.removal import remove_tree
from pawl.adapters.runs_folder.run import RunFolder
from pawl.adapters.runs_folder.work import make_work, remove_work, work_home
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.ids import RunNumber
from pawl.core.model.plan import Json

FOLDER = ".pawl"
"""Where everything of Pawl's own lies, below the project's root."""

_MOST_ATTEMPTS = 10_000


class RunsFolder:
    """The runs of one project. Several processes may use it at once."""

    def __init__(self, root: Path, *, log_cap: int = DEFAULT_LOG_CAP, work: Path | None = None) -> None:
        """Keep runs below `root`, the project's folder. Nothing is written before `create`.

        Args:
            root: the project's folder.
            log_cap: bytes kept of each step's log.
            work: where the folders of jobs are made, `work_home` by default.
        """
        self._work = work
        self._runs = root / FOLDER / "runs"
        self._log_cap = log_cap

    def create(self, plan: Json, *, workflow: str, time: float) -> RunFolder:
        """Return the folder of a new run, with the next free number and this process as its owner.

        Args:
            plan: the plan as plain data; kept in `run.json`.
            workflow: the workflow's name, for lists.
            time: now, in seconds since 1970.

        Raises:
            InfrastructureError: the disk refused.
        """
        try:
            self._make_home()
            folder = self._take_number()
            self._begin(folder, plan, workflow, time)
            return self._folder(folder)
        except OSError as error:
            raise InfrastructureError(
                f"Cannot keep runs in {self._runs}: {error.strerror or error}",
                hint="make the folder writable, or free some disk space",
            ) from error

    def open(self, number: int | None = None) -> RunFolder:
        """Return the folder of a run; the latest one without a number.

        Raises:
            UsageError: there is no such run.
        """
        known = list(self._numbers())
        if not known:
            raise UsageError("No run is kept here yet", hint="start one with `pawl run`")
        number = max(known) if number is None else number
        if number not in known:
            raise UsageError(
                f"There is no run {number} here; the kept ones are {_ranges(sorted(known))}",
                hint="`pawl runs` lists them",
            )
        return self._folder(self._runs / str(number))

    def list(self) -> tuple[RunRecord, ...]:
        """Return what is known of each kept run, latest first."""
        records = (read_record(self._runs / str(number)) for number in sorted(self._numbers(), reverse=True))
        return tuple(record for record in records if record is not None)

    def prune(self, keep: int = 50) -> tuple[int, ...]:
        """Remove the oldest runs that have ended, so that `keep` of those stay; return their numbers.

        A run in progress is never removed, nor one whose sandbox was kept for `pawl shell`.
        """
        ended = [record for record in self.list() if record.state is not RunState.RUNNING]
        gone = []
        for record in reversed(ended[max(keep, 0) :]):
            folder = self._runs / str(record.number)
            if not _holds_work(record) and not remove_tree(folder):
                gone.append(int(record.number))
        return tuple(gone)

    def _begin(self, folder: Path, plan: Json, workflow: str, time: float) -> None:
        owner = owner_token()
        work = make_work(self._work or work_home(), folder, owner)
        record = RunRecord(
            number=RunNumber(int(folder.name)),
            owner=owner,
            workflow=workflow,
            created=time,
            work=str(work),
        )
        try:
            write_record(folder, record, plan)
        except OSError:
            remove_work(work, folder)
            raise

    def _folder(self, path: Path) -> RunFolder:
        return RunFolder(path, log_cap=self._log_cap)

    def _numbers(self) -> Iterator[int]:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(self._runs) as entries:
            for entry in entries:
                name = entry.name
                if name.isascii() and name.isdecimal() and len(name) < 10 and not name.startswith("0"):
                    yield int(name)

    def _make_home(self) -> None:
        self._runs.mkdir(parents=True, exist_ok=True)
        # In `runs`, not above it: `.pawl/workflows` is the user's to commit.
        ignore = self._runs / ".gitignore"
        if not ignore.exists():
            ignore.write_text("# Made by pawl: runs, logs and artifacts are nothing to commit.\n*\n", "utf-8")

    def _take_number(self) -> Path:
        """Make the next free folder; making one is exclusive, so two runs at once get two numbers."""
        number = max(self._numbers(), default=0) + 1
        for candidate in range(number, number + _MOST_ATTEMPTS):
            folder = self._runs / str(candidate)
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            return folder
        raise FileExistsError(f"{_MOST_ATTEMPTS} folders from {number} on are taken")


def _holds_work(record: RunRecord) -> bool:
    return bool(record.work) and Path(record.work).is_dir()


def _ranges(numbers: list[int]) -> str:
    """Return `1-3, 7`: sorted numbers for people, cut where there are many."""
    spans: list[tuple[int, int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    words = [str(first) if first == last else f"{first}-{last}" for first, last in spans[-8:]]
    return ("..., " if len(spans) > 8 else "") + ", ".join(words)
