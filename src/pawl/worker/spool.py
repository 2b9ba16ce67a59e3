"""The spool: the folder of one attempt on the worker, where its job writes and whence it is sent.

    attempt.json   whose it is and with what lease; no secrets
    request.json   what the job's process is to do, removed once it is read; no secrets
    logs/<job>/<attempt>/NN.log, NN.idx, NN.json
                   the log of step NN, its line index, and its end (adapters/runs_folder)
    events.jsonl   what the job told
    result.json    how it ended: there whole or not at all
    artifacts/     what it kept
    earlier.json   the run's artifacts when the job first asked for them
    wanted/, earlier/
                   files of these that the job asks for (or `list`, or `source` for the repository's), and
                   those it was given, named by SHA-256
    source.pack    the repository's files, complete when it has this name; source.failed says why not
    work/          where the job works

and what adapters/job_processes keeps. Only a folder that has its `attempt.json` counts.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pawl.adapters.runs_folder import remove_tree
from pawl.adapters.runs_folder.atomic import write_whole
from pawl.adapters.runs_folder.names import folder_name
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.plain import from_plain, to_plain
from pawl.core.model.plan import Json
from pawl.core.model.work import Lease, Result, Work
from pawl.engine.execution.request import ExecutionLimits

T = TypeVar("T")
SOURCE = "source"
"""What is asked for to get the repository's files from the server."""
_ATTEMPT, _REQUEST, _RESULT = "attempt.json", "request.json", "result.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a job's process is to do.

    Attributes:
        owner: of its sandboxes; a later sweep knows by it whether they are still wanted.
        images: image by label of `runs-on`, where the server names none.
        log_cap: bytes kept of a step's log.
        mirrors: folder of this machine's mirrors; "" where files come from the server alone.
        plain_git: whether they may be fetched over `http:`.
    """

    work: Work
    owner: str
    log_cap: int
    images: Mapping[str, str] = field(default_factory=dict)
    limits: ExecutionLimits = field(default_factory=ExecutionLimits)
    mirrors: str = ""
    plain_git: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An attempt that this worker has, as it must be known after a restart.

    Attributes:
        key: of its result, so that the server takes it once.
        owner: of its sandboxes.
        source: digest of the repository's files, None where they are not fetched before they are asked for.
    """

    lease: Lease
    correlation: str
    key: str
    owner: str
    source: str | None = None


class Spool:
    """One attempt's folder."""

    def __init__(self, path: Path, held: Held) -> None:
        """Take a folder that is there; `make_spool` makes one."""
        self.path = path
        self.held = held

    @property
    def events(self) -> Path:
        """Return where the job's events are."""
        return self.path / "events.jsonl"

    @property
    def logs(self) -> Path:
        """Return the folder that the job's log store has."""
        return self.path / "logs"

    @property
    def artifacts(self) -> Path:
        """Return the folder that the job's artifact store has."""
        return self.path / "artifacts"

    @property
    def source(self) -> Path:
        """Return where the packed files are, once they are complete."""
        return self.path / "source.pack"

    @property
    def source_failed(self) -> Path:
        """Return where it is written why there will be no files."""
        return self.path / "source.failed"

    def ask_for_source(self) -> None:
        """Ask the worker for the packed files.

        Raises:
            InfrastructureError: the disk refused.
        """
        try:
            self.wanted.mkdir(exist_ok=True)
            (self.wanted / SOURCE).touch()
        except OSError as error:
            raise _refused(self.path, error) from error

    @property
    def earlier(self) -> Path:
        """Return where the run's artifacts are listed."""
        return self.path / "earlier.json"

    @property
    def wanted(self) -> Path:
        """Return the folder in which the job asks for files of the run's artifacts."""
        return self.path / "wanted"

    @property
    def given(self) -> Path:
        """Return the folder in which the job finds them."""
        return self.path / "earlier"

    @property
    def work(self) -> Path:
        """Return where the job works."""
        return self.path / "work"

    @property
    def awaits_start(self) -> bool:
        """Return whether no process has read the request yet."""
        return (self.path / _REQUEST).exists()

    @property
    def is_finished(self) -> bool:
        """Return whether the job has said how it ended; its process may need a moment to go."""
        return (self.path / _RESULT).exists()

    def log(self, index: int) -> Path:
        """Return the file of a step's log; index and end lie beside it with `.idx` and `.json`."""
        ref = self.held.lease.ref
        return self.logs / folder_name(ref.job) / str(ref.attempt) / f"{index:02}.log"

    def write_order(self, order: Order) -> None:
        """Write what the job's process is to do, readable by this user alone.

        Raises:
            InfrastructureError: the disk refused.
        """
        try:
            _write_private(self.path / _REQUEST, to_plain(order))
        except OSError as error:
            raise _refused(self.path, error) from error

    def take_order(self) -> Order:
        """Return what the job's process is to do; the file is gone then.

        Raises:
            InfrastructureError: there is none.
        """
        path = self.path / _REQUEST
        try:
            told = json.loads(path.read_bytes())
            path.unlink()
            return from_plain(Order, told, "job order", strict=False)
        except (OSError, ValueError, UsageError) as error:
            raise InfrastructureError(f"The order of the job in {path} cannot be read: {error}") from error

    def write_result(self, result: Result) -> None:
        """Write how the job ended, whole or not at all.

        Nothing in a spool waits for the disk: whatever ends a process leaves what it wrote, and a machine
        that lost its power has lost its leases when it is back. What counts is what the server has.

        Raises:
            InfrastructureError: the disk refused.
        """
        try:
            write_whole(self.path / _RESULT, json.dumps(to_plain(result)).encode(), durable=False)
        except OSError as error:
            raise _refused(self.path, error) from error

    def result(self) -> Result | None:
        """Return how the job ended; None while it has not said so."""
        return _read(self.path / _RESULT, Result)

    def remove(self) -> tuple[str, ...]:
        """Remove the folder; return what could not be removed, a sentence each."""
        # First what makes it count: half a folder must not come back after a restart.
        with contextlib.suppress(OSError):
            (self.path / _ATTEMPT).unlink()
        return remove_tree(self.path)


def spool_name(lease: Lease) -> str:
    """Return the name of an attempt's folder: each lease of an attempt has its own."""
    ref = lease.ref
    return f"{ref.run}-{folder_name(ref.job)}-{ref.attempt}-{lease.epoch}"


def make_spool(home: Path, held: Held) -> Spool:
    """Make an attempt's folder; one of the same name gives way, as a lease has one.

    Raises:
        InfrastructureError: the disk refused.
    """
    path = home / spool_name(held.lease)
    try:
        if path.exists():
            shutil.rmtree(path)
        path.mkdir(parents=True, mode=0o700)
        _write_private(path / _ATTEMPT, to_plain(held))
    except OSError as error:
        raise _refused(path, error) from error
    return Spool(path, held)


def find_spools(home: Path, told: Callable[[str], None]) -> Iterator[Spool]:
    """Yield the attempts that a worker before this one had; what is half made or half removed goes.

    One that cannot be read now stays as it is, and `told` hears of it: the disk may give it back later, and
    its process may still write there.
    """
    with contextlib.suppress(FileNotFoundError):
        for path in sorted(home.iterdir()):
            attempt = path / _ATTEMPT
            try:
                there = attempt.read_bytes() if path.is_dir() else b""
            except (FileNotFoundError, NotADirectoryError):
                there = b""
            except OSError as error:
                told(f"{attempt} cannot be read, and is left: {error.strerror or error}")
                continue
            held = _parsed(there, Held, _ATTEMPT)
            if held is not None:
                yield Spool(path, held)
            elif path.is_dir():
                remove_tree(path)


def read_spool(path: Path) -> Spool:
    """Return the attempt of a folder.

    Raises:
        InfrastructureError: there is none.
    """
    held = _read(path / _ATTEMPT, Held)
    if held is None:
        raise InfrastructureError(f"There is no attempt in {path}")
    return Spool(path, held)


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return _parsed(path.read_bytes(), kind, path.name)
    except OSError:
        return None


def _parsed(told: bytes, kind: type[T], name: str) -> T | None:
    try:
        return from_plain(kind, json.loads(told), name, strict=False)
    except (ValueError, UsageError, RecursionError):
        return None


def _write_private(path: Path, told: Json) -> None:
    aside = path.with_name(f".{path.name}.new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(json.dumps(told, separators=(",", ":")).encode())
    aside.replace(path)


def _refused(path: Path, error: OSError) -> InfrastructureError:
    return InfrastructureError(
        f"Cannot write the worker's folder {path}: {error.strerror or error}",
        hint="free some disk space there, or check its permissions",
    )
