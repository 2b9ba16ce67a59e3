"""Logs of a server in a folder: one folder a run, one file a part of a step's log."""

from __future__ import annotations

from pawl.adapters.logs_folder.logs import FolderLogBytes

__all__ = ["FolderLogBytes"]
