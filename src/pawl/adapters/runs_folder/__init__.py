"""Runs kept in a folder of the project.

    .pawl/runs/.gitignore               so that git ignores all of it by itself
    .pawl/runs/12/run.json              what it is, who runs it, how it ended; the plan
                  events.jsonl          its events as they happened, all but the log's bytes
                  jobs/build.3/1/02.log the log of step 2 of the first attempt of job `build#3`
                                 02.idx its line index, 16 bytes a line
                                 02.json its size, lines, hash, and the step's name, once it is complete
                  artifacts/site/       `manifest.json` and `files/`

Its jobs work elsewhere, in a folder that `run.json` names and that goes when the run has ended (`work.py`).
"""

from __future__ import annotations

from pawl.adapters.runs_folder.artifacts import ArtifactLimits, FolderArtifacts
from pawl.adapters.runs_folder.logs import DEFAULT_LOG_CAP, FolderLogs
from pawl.adapters.runs_folder.owner import is_owner_alive, is_owner_token, owner_token
from pawl.adapters.runs_folder.record import RunRecord, RunState
from pawl.adapters.runs_folder.removal import remove_tree
from pawl.adapters.runs_folder.run import RunFolder
from pawl.adapters.runs_folder.runs import FOLDER, RunsFolder
from pawl.adapters.runs_folder.work import LeftWork, sweep_work, work_home

__all__ = [
    "DEFAULT_LOG_CAP",
    "FOLDER",
    "ArtifactLimits",
    "FolderArtifacts",
    "FolderLogs",
    "LeftWork",
    "RunFolder",
    "RunRecord",
    "RunState",
    "RunsFolder",
    "is_owner_alive",
    "is_owner_token",
    "owner_token",
    "remove_tree",
    "sweep_work",
    "work_home",
]
