"""Lengths of time as people write them: `90s`, `10m`, `1h30m`."""

from __future__ import annotations

import re

_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def parse_duration(text: str) -> float | None:
    """Return the seconds of a text such as `1h30m`; None when it is not one."""
    total, offset = 0.0, 0
    while offset < len(text):
        part = _PART.match(text, offset)
        if part is None:
            return None
        total += float(part.group(1)) * _SECONDS[part.group(2)]
        offset = part.end()
    return total if text else None
