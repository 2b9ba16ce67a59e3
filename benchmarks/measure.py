"""What every benchmark shares: repeated timing, medians with their spread, a table."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured quantity: the median of several runs, the smallest and largest, and its unit."""

    median: float
    low: float
    high: float
    unit: str
    runs: int

    def __str__(self) -> str:
        return f"{_short(self.median)} {self.unit} ({_short(self.low)}-{_short(self.high)}, n={self.runs})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; `floor` and `peer` were measured in the same run as `pawl`."""

    id: str
    what: str
    pawl: Figure
    target: str
    meets: bool | None
    floor: tuple[str, Figure] | None = None
    peer: tuple[str, Figure] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A benchmark that could not run here, and why."""

    id: str
    what: str
    why: str


def figure(samples: list[float], unit: str) -> Figure:
    """Return the median and spread of `samples`."""
    return Figure(
        median=statistics.median(samples), low=min(samples), high=max(samples), unit=unit, runs=len(samples)
    )


def seconds(work: Callable[[], object], *, runs: int = 5, warm_up: int = 1) -> list[float]:
    """Return how long each of `runs` calls took, after `warm_up` uncounted ones."""
    for _ in range(warm_up):
        work()
    samples = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        samples.append(time.perf_counter() - began)
    return samples


def interleaved(
    first: Callable[[], object], second: Callable[[], object], *, runs: int = 5
) -> list[list[float]]:
    """Return the seconds of both, run in turns, so that a machine's drift meets both alike."""
    first()
    second()
    samples: list[list[float]] = [[], []]
    for _ in range(runs):
        for index, work in enumerate((first, second)):
            began = time.perf_counter()
            work()
            samples[index].append(time.perf_counter() - began)
    return samples


def milliseconds(samples: list[float]) -> Figure:
    """Return seconds as a figure in milliseconds."""
    return figure([sample * 1000 for sample in samples], "ms")


def _short(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
