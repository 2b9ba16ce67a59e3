"""Runs kept in a folder of the project, `.pawl/runs/N`: record, events, logs, artifacts, work."""

from __future__ import annotations

from pawl.adapters.runs_folder.artifacts import ArtifactLimits, FolderArtifacts
from pawl.adapters.runs_folder.logs import DEFAULT_LOG_CAP, FolderLogs
from pawl.adapters.runs_folder.owner import is_owner_alive, owner_token
from pawl.adapters.runs_folder.record import RunRecord, RunState
from pawl.adapters.runs_folder.removal import remove_tree
from pawl.adapters.runs_folder.run import RunFolder
from pawl.adapters.runs_folder.runs import FOLDER, RunsFolder

__all__ = [
    "DEFAULT_LOG_CAP",
    "FOLDER",
    "ArtifactLimits",
    "FolderArtifacts",
    "FolderLogs",
    "RunFolder",
    "RunRecord",
    "RunState",
    "RunsFolder",
    "is_owner_alive",
    "owner_token",
    "remove_tree",
]
