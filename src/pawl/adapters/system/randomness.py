"""Randomness from the operating system."""

from __future__ import annotations

import secrets

_STEPS = 2**53


class SystemRandomness:
    """The system's own source (ports.randomness)."""

    def token(self, size: int = 16) -> str:
        """Return `size` bytes that nobody can guess, in hex."""
        return secrets.token_hex(size)

    def fraction(self) -> float:
        """Return a number from 0 up to, not including, 1."""
        return secrets.randbelow(_STEPS) / _STEPS
