"""Times and sizes for people."""

from __future__ import annotations


def show_duration(seconds: float, *, precise: bool = True) -> str:
    """Return seconds as people read them: `0.4s`, `12s`, `3m 04s`, `1h 02m`. Never a negative time."""
    seconds = max(0.0, seconds)
    if seconds < 9.95 and precise:
        return f"{seconds:.1f}s"
    whole = round(seconds) if precise else int(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m {rest:02}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m"


def show_size(count: int) -> str:
    """Return a number of bytes as people read it: `312 B`, `1.4 kB`, `23 MB` (powers of 1000)."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" or size >= 9.95 else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError


def count(number: int, noun: str) -> str:
    """Return `1 file` or `3 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
