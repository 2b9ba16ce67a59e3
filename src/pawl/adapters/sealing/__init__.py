"""Sealing with a key in a file beside the database, never in it."""

from __future__ import annotations

from pawl.adapters.sealing.keys import read_or_make_key
from pawl.adapters.sealing.sealing import FileSealing

__all__ = ["FileSealing", "read_or_make_key"]
