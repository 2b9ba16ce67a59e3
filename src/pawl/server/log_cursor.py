"""The place of a reader in a run's log: what it has had, as a short text that it can come back with."""

from __future__ import annotations

import base64
import binascii
import itertools
import json
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pawl.core.model.errors import UsageError
from pawl.core.model.ids import JobId

StepKey: TypeAlias = tuple[JobId, int, int]
"""Job, attempt and index of a step."""

MAX_OPEN = 1000
"""Steps whose logs a cursor may be in the middle of."""
_MOST = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a reader is in the log of one step: bytes and lines that it has had."""

    offset: int = 0
    lines: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a reader is: the last event it has had, and the logs it is in the middle of."""

    sequence: int = 0
    open: dict[StepKey, Place] = field(default_factory=dict)

    def at(self, sequence: int) -> Cursor:
        """Return it after another event."""
        return replace(self, sequence=sequence)

    def with_place(self, step: StepKey, place: Place) -> Cursor:
        """Return it with a place in a step's log."""
        return replace(self, open={**self.open, step: place})

    def without(self, step: StepKey) -> Cursor:
        """Return it without a step whose log is over."""
        return replace(self, open={key: place for key, place in self.open.items() if key != step})

    def written(self) -> str:
        """Return it as a text that goes into a URL as it is."""
        told = [self.sequence, [[*key, place.offset, place.lines] for key, place in self.open.items()]]
        text = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
        return base64.urlsafe_b64encode(text).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """Return the cursor that `written` wrote; a plain number is a sequence number.

    Raises:
        UsageError: it is none.
    """
    try:
        if text.isascii() and text.isdecimal() and len(text) <= 15:
            return Cursor(sequence=int(text))
        padded = text + "=" * (-len(text) % 4)
        sequence, places = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        opened = {
            (JobId(str(job)), _number(attempt), _number(index)): Place(
                offset=_number(offset), lines=_number(lines)
            )
            for job, attempt, index, offset, lines in places
        }
        return Cursor(sequence=_number(sequence), open=dict(itertools.islice(opened.items(), MAX_OPEN)))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise UsageError(
            "the cursor is none of this server's", hint="leave `after` out to begin anew"
        ) from None


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST:
        raise ValueError("no number")
    return value
