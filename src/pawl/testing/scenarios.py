"""A whole run in one call, for tests: any executor, a few files, everything that was told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pawl.adapters.runs_folder.artifacts import FolderArtifacts
from pawl.adapters.runs_folder.logs import FolderLogs
from pawl.core.model.ids import RunNumber
from pawl.core.model.plan import Plan
from pawl.core.model.status import Conclusion
from pawl.engine.execution.cancellation import Cancellation
from pawl.engine.execution.request import RunOutcome, RunRequest
from pawl.engine.execution.run import execute_run
from pawl.ports.clock import Clock
from pawl.ports.executor import Executor
from pawl.ports.source import Source
from pawl.testing.builders import FileSource
from pawl.testing.recording import RecordingReporter

LOG_CAP = 64 * 1024 * 1024


class RealClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A run that ended: its outcome, what it told, and its folders."""

    outcome: RunOutcome
    told: RecordingReporter
    root: Path

    @property
    def conclusion(self) -> Conclusion:
        """Return how it ended."""
        return self.outcome.conclusion

    @property
    def log(self) -> str:
        """Return everything that was logged."""
        return self.told.log()

    @property
    def left_behind(self) -> list[str]:
        """Return what is left in the folder where jobs work."""
        work = self.root / "work"
        return sorted(entry.name for entry in work.iterdir()) if work.exists() else []


@dataclass(kw_only=True)
class Scenario:
    """What a run needs besides its plan; the defaults do for most tests."""

    executor: Executor
    root: Path
    files: Mapping[str, str] = field(default_factory=dict)
    source: Source | None = None
    clock: Clock = field(default_factory=RealClock)
    cancellation: Cancellation = field(default_factory=Cancellation)
    told: RecordingReporter = field(default_factory=RecordingReporter)
    owner: str = "tests"

    async def run(self, plan: Plan, **request: Any) -> Finished:
        """Run a plan to its end; `request` are further fields of `RunRequest`."""
        values: dict[str, Any] = {"images": {"ubuntu-latest": "pawl/busybox:test"}, "project": self.root}
        outcome = await execute_run(
            RunRequest(
                plan=plan,
                number=RunNumber(1),
                folder=self.root / "work",
                owner=self.owner,
                **{**values, **request},
            ),
            executor=self.executor,
            source=self.source or FileSource(self.files),
            logs=FolderLogs(self.root / "logs", cap=LOG_CAP),
            artifacts=FolderArtifacts(self.root / "artifacts"),
            reporter=self.told,
            clock=self.clock,
            cancellation=self.cancellation,
        )
        return Finished(outcome=outcome, told=self.told, root=self.root)
