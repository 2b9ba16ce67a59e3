"""The version, without importing anything: `pawl --version` has a time budget (performance.md P13)."""

from __future__ import annotations

VERSION = "0.1.0"
"""The same as in pyproject.toml; a test compares them."""
