"""Logs in a folder: `<job>/<attempt>/NN.log` holds the bytes, `NN.idx` the line index, `NN.json` the end."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from pawl.adapters.runs_folder.atomic import write_whole
from pawl.adapters.runs_folder.names import folder_name
from pawl.core.model.errors import InfrastructureError
from pawl.core.model.ids import JobId
from pawl.core.model.line_index import RECORD_SIZE, line_records, parse_records
from pawl.ports.logs import LogLine, LogSummary, LogWriter, StoredBlock

DEFAULT_LOG_CAP = 64 * 1024 * 1024
"""Bytes of a step's log that are kept (reliability.md 4.5)."""

_RECORDS_AT_ONCE = 4096


class FolderLogs:
    """The `LogStore` of one run, in one folder."""

    def __init__(self, folder: Path, *, cap: int = DEFAULT_LOG_CAP, durable: bool = True) -> None:
        """Keep the logs below `folder`, at most `cap` bytes each, and at most as many bytes of index.

        Args:
            folder: where they are.
            cap: bytes.
            durable: whether the end of a log waits for the disk.
        """
        self._folder = folder
        self._cap = cap
        self._durable = durable

    def writer(self, job: JobId, attempt: int, index: int, name: str) -> LogWriter:
        """Return the writer of a step's log, as the port says."""
        path = self._log(job, attempt, index)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return FolderLogWriter(path, name=name, cap=self._cap, durable=self._durable)
        except OSError as error:
            raise InfrastructureError(f"Cannot create the log {path}: {error.strerror}") from error

    def read(self, job: JobId, attempt: int, index: int, *, first_line: int = 1) -> Iterator[LogLine]:
        """Yield lines, as the port says; what a crash cut off is left out."""
        path = self._log(job, attempt, index)
        if not path.is_file():
            raise KeyError(f"{job} attempt {attempt} step {index}")
        return _read_lines(path, first_line)

    def summary(self, job: JobId, attempt: int, index: int) -> LogSummary | None:
        """Return the end's record, as the port says."""
        path = self._log(job, attempt, index)
        if not path.is_file():
            raise KeyError(f"{job} attempt {attempt} step {index}")
        try:
            told = json.loads(path.with_suffix(".json").read_bytes())
            return LogSummary(
                size=int(told["size"]),
                lines=int(told["lines"]),
                sha256=str(told["sha256"]),
                dropped=int(told["dropped"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _log(self, job: JobId, attempt: int, index: int) -> Path:
        return self._folder / folder_name(job) / str(attempt) / f"{index:02}.log"


class FolderLogWriter:
    """Appends to one log. Bytes are written before their index records, so a reader never runs ahead."""

    def __init__(self, path: Path, *, name: str, cap: int, durable: bool = True) -> None:
        """Create the log and its index.

        Args:
            path: the log's file; the index and the summary lie beside it.
            name: the step's name, kept in the summary for people.
            cap: bytes kept of the log, and of its index.
            durable: whether `finish` waits for the disk.

        Raises:
            OSError: the log exists, or the disk refused.
        """
        self._path = path
        self._name = name
        self._cap = cap
        self._durable = durable
        self._most_lines = max(1, cap // RECORD_SIZE)
        self._log = _create(path)
        try:
            self._index = _create(path.with_suffix(".idx"))
        except OSError:
            os.close(self._log)
            raise
        self._hash = hashlib.sha256()
        self._size = 0
        self._lines = 0
        self._dropped = 0
        self._open_stream: str | None = None  # whose line is not ended yet
        self._full = False
        self._summary: LogSummary | None = None

    def append(self, data: bytes, *, stream: str, time: float) -> StoredBlock | None:
        """Store a block, as the port says."""
        if self._full or self._summary is not None:
            self._dropped += len(data)
            return None
        if not data:
            return None
        if self._size + len(data) <= self._cap:
            records = self._records(data, stream, time)
            if self._lines + len(records) // RECORD_SIZE <= self._most_lines:
                return self._store(data, records, stream)
        return self._store_last(data, stream, time)

    def finish(self) -> LogSummary:
        """Sync, close, and write the summary, as the port says."""
        if self._summary is not None:
            return self._summary
        summary = LogSummary(
            size=self._size, lines=self._lines, sha256=self._hash.hexdigest(), dropped=self._dropped
        )
        try:
            _close(self._log, self._index, durable=self._durable)
            told = json.dumps({"name": self._name, **asdict(summary)}).encode()
            write_whole(self._path.with_suffix(".json"), told, durable=self._durable)
        except OSError as error:
            raise self._refused(error) from error
        finally:
            self._summary = summary
        return summary

    def _records(self, data: bytes, stream: str, time: float) -> bytes:
        continued = self._open_stream == stream
        return line_records(data, offset=self._size, stream=stream, time=time, continued=continued)

    def _store(self, data: bytes, records: bytes, stream: str) -> StoredBlock:
        continues = self._open_stream == stream
        block = StoredBlock(
            offset=self._size, first_line=self._lines if continues else self._lines + 1, data=data
        )
        try:
            _write_all(self._log, data)
            _write_all(self._index, records)
        except OSError as error:
            self._full = True
            raise self._refused(error) from error
        self._hash.update(data)
        self._size += len(data)
        self._lines += len(records) // RECORD_SIZE
        self._open_stream = None if data.endswith(b"\n") else stream
        return block

    def _store_last(self, data: bytes, stream: str, time: float) -> StoredBlock | None:
        """Store what still fits, then the marker line; from here on everything is dropped."""
        kept = self._fitting(data)
        self._dropped += len(data) - len(kept)
        ends_line = kept.endswith(b"\n") if kept else self._open_stream is None
        marker = b"%s##[warning]This log is longer than %s: the rest is not kept. The step goes on.\n" % (
            b"" if ends_line else b"\n",
            _in_words(self._cap),
        )
        data = kept + marker
        block = self._store(data, self._records(data, stream, time), stream)
        self._full = True
        return block

    def _fitting(self, data: bytes) -> bytes:
        kept = data[: self._cap - self._size]
        if len(kept) < len(data):
            kept = kept[: kept.rfind(b"\n") + 1] or kept
        room = self._most_lines - self._lines
        if kept.count(b"\n") > room:
            kept = b"".join(line + b"\n" for line in kept.split(b"\n", room)[:room])
        return kept

    def _refused(self, error: OSError) -> InfrastructureError:
        return InfrastructureError(
            f"Cannot write the log {self._path}: {error.strerror or error}",
            hint="free some disk space, or remove old runs below .pawl/runs",
        )


def _create(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
    return os.open(path, flags, 0o644)


def _write_all(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data) if data else 0
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def _close(*descriptors: int, durable: bool) -> None:
    failure: OSError | None = None
    for descriptor in descriptors:
        try:
            try:
                if durable:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            failure = error
    if failure is not None:
        raise failure


def _in_words(size: int) -> bytes:
    mebibytes, rest = divmod(size, 1024 * 1024)
    return b"%d bytes" % size if rest else b"%d MiB" % mebibytes


def _read_lines(path: Path, first_line: int) -> Iterator[LogLine]:
    """Yield lines from two files that may still grow, or that a crash cut short."""
    number = max(first_line, 1)
    with path.open("rb") as log, path.with_suffix(".idx").open("rb") as index:
        index.seek((number - 1) * RECORD_SIZE)
        pending: tuple[int, float, str] | None = None
        while records := parse_records(index.read(_RECORDS_AT_ONCE * RECORD_SIZE)):
            if pending is None:
                log.seek(records[0][0])
            for record in records:
                if pending is not None:
                    expected = max(record[0] - pending[0], 0)
                    text = log.read(expected)
                    if len(text) < expected:  # the index knows of bytes that a crash lost
                        if text:
                            yield _line(number, pending, text, ended=False)
                        return
                    yield _line(number, pending, text, ended=True)
                    number += 1
                pending = record
        if pending is not None and (text := log.readline()):
            yield _line(number, pending, text, ended=text.endswith(b"\n"))


def _line(number: int, record: tuple[int, float, str], text: bytes, *, ended: bool) -> LogLine:
    return LogLine(
        number=number, time=record[1], stream=record[2], text=text.removesuffix(b"\n"), ended=ended
    )
