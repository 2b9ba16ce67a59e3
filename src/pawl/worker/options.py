"""What a worker is told when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pawl.adapters.runs_folder import DEFAULT_LOG_CAP
from pawl.engine.execution.request import ExecutionLimits

DISK_FLOOR = 1 << 30
"""Bytes free on the disk of the data folder below which no job is taken: 1 GiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """One worker.

    Attributes:
        url: of the server, as in `https://ci.example.org`.
        token: of scope `worker`.
        name: unique among the workers with this token.
        data: folder of its own, for what runs now and what the server has not got yet.
        unix_socket: the server's socket, for a worker on the server's own machine.
        ca_file: certificates to trust for the server instead of the machine's.
        labels: what `runs-on` may ask for.
        slots: how many jobs at once.
        executor: `docker`, `host`, or `auto` for containers where an engine answers at start.
        images: image by label of `runs-on`, where the server names none.
        disk_floor: bytes free below which it takes nothing.
        once: whether to end after one job.
        fetches: whether it fetches repositories from their hosts; else the server is asked for the files.
        mirrors: where it keeps them; by default in `data`.
        plain_git: whether it fetches over `http:` too.
        log_cap: bytes kept of a step's log.
        limits: of every job.
    """

    url: str
    token: str = field(repr=False)
    name: str
    data: Path
    unix_socket: Path | None = None
    ca_file: Path | None = None
    labels: tuple[str, ...] = ()
    slots: int = 1
    executor: str = "auto"
    images: Mapping[str, str] = field(default_factory=dict)
    disk_floor: int = DISK_FLOOR
    once: bool = False
    fetches: bool = True
    mirrors: Path | None = None
    plain_git: bool = False
    log_cap: int = DEFAULT_LOG_CAP
    limits: ExecutionLimits = field(default_factory=ExecutionLimits)
