"""The file `run.json`: what a run is, who runs it, and how it ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pawl.adapters.runs_folder.atomic import write_whole
from pawl.adapters.runs_folder.owner import is_owner_alive
from pawl.core.model.ids import RunNumber
from pawl.core.model.plan import Json
from pawl.core.model.status import Conclusion

_FILE = "run.json"
_VERSION = 1


class RunState(StrEnum):
    """Where a kept run is."""

    RUNNING = "running"
    FINISHED = "finished"
    KILLED = "killed"
    """Its process ended without finishing it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What is known of a kept run without reading its events.

    Attributes:
        number: of the run, from 1.
        owner: the token of the process that runs it (`owner.py`).
        workflow: the workflow's name.
        created: when it began, and `finished` when it ended, in seconds since 1970.
        conclusion: how it ended, None until then.
        reason: why it ended so, in words.
        work: the folder that its jobs work in, gone when it has ended; empty when there is none.
    """

    number: RunNumber
    owner: str
    workflow: str
    created: float
    finished: float | None = None
    conclusion: Conclusion | None = None
    reason: str = ""
    work: str = ""

    @property
    def state(self) -> RunState:
        """Return where the run is, by its conclusion and its owner's life."""
        if self.conclusion is not None:
            return RunState.FINISHED
        return RunState.RUNNING if is_owner_alive(self.owner) else RunState.KILLED


def write_record(folder: Path, record: RunRecord, plan: Json) -> None:
    """Write the record with the plan, whole or not at all.

    Raises:
        OSError: the disk refused.
    """
    told = {
        "version": _VERSION,
        "number": record.number,
        "owner": record.owner,
        "workflow": record.workflow,
        "created": record.created,
        "finished": record.finished,
        "conclusion": record.conclusion,
        "reason": record.reason,
        "work": record.work,
        "plan": plan,
    }
    write_whole(folder / _FILE, json.dumps(told, indent=1).encode())


def read_record(folder: Path) -> RunRecord | None:
    """Return the record, or None where there is none that can be read."""
    try:
        told = json.loads((folder / _FILE).read_bytes())
        finished, conclusion = told["finished"], told["conclusion"]
        return RunRecord(
            number=RunNumber(int(told["number"])),
            owner=str(told["owner"]),
            workflow=str(told["workflow"]),
            created=float(told["created"]),
            finished=None if finished is None else float(finished),
            conclusion=None if conclusion is None else Conclusion(conclusion),
            reason=str(told["reason"]),
            work=str(told.get("work", "")),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def read_plan(folder: Path) -> Json:
    """Return the plan as plain data, None where there is none that can be read."""
    try:
        plan: Json = json.loads((folder / _FILE).read_bytes())["plan"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return plan
