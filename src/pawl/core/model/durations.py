"""Lengths of time, as sentences about jobs and runs say them."""

from __future__ import annotations

_UNITS = (("hour", 3600), ("minute", 60))


def in_words(seconds: float) -> str:
    """Return a length of time: `24 hours`, `90 minutes`, `7.2 seconds`; in the largest unit that is exact."""
    seconds = round(seconds, 1)
    for unit, size in _UNITS:
        if seconds >= size and seconds % size == 0:
            return _counted(seconds / size, unit)
    return _counted(seconds, "second")


def _counted(number: float, unit: str) -> str:
    return f"{number:.10g} {unit}{'' if number == 1 else 's'}"
