"""`actions/upload-artifact` and `actions/download-artifact`."""

from __future__ import annotations

from collections.abc import Mapping

from pawl.core.model.errors import UsageError
from pawl.engine.execution.bench import Bench
from pawl.engine.execution.steps.end import StepEnd
from pawl.engine.execution.steps.place import StepPlace


async def run_upload(inputs: Mapping[str, str], place: StepPlace, bench: Bench) -> StepEnd:
    """Not yet."""
    raise UsageError("later")


async def run_download(inputs: Mapping[str, str], place: StepPlace, bench: Bench) -> StepEnd:
    """Not yet."""
    raise UsageError("later")
