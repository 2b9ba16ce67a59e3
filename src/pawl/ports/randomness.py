"""Randomness, so that tests and the simulation can hold it."""

from __future__ import annotations

from typing import Protocol


class Randomness(Protocol):
    """Makes ids, keys and jitter."""

    def token(self, size: int = 16) -> str:
        """Return `size` bytes that nobody can guess, in hex."""

    def fraction(self) -> float:
        """Return a number from 0 up to, not including, 1."""
