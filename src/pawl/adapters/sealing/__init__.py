"""Sealing with keys in a file beside the database, never in it."""

from __future__ import annotations

from pawl.adapters.sealing.sealing import FileSealing

__all__ = ["FileSealing"]
