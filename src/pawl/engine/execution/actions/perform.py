"""Doing the work of one step, by its kind."""

from __future__ import annotations

from typing import assert_never

from pawl.core.model.errors import UsageError
from pawl.engine.execution.actions.artifacts import run_download, run_upload
from pawl.engine.execution.actions.checkout import run_checkout
from pawl.engine.execution.actions.image import run_image
from pawl.engine.execution.actions.local import run_local
from pawl.engine.execution.actions.reference import (
    BuiltInAction,
    ImageAction,
    LocalAction,
    RemoteAction,
    parse_reference,
)
from pawl.engine.execution.bench import Bench
from pawl.engine.execution.refusals import unsupported_step
from pawl.engine.execution.steps.end import StepEnd
from pawl.engine.execution.steps.evaluation import settle
from pawl.engine.execution.steps.place import RunInner, StepPlace
from pawl.engine.execution.steps.script import run_script

_BUILT_IN = {
    "actions/checkout": run_checkout,
    "actions/upload-artifact": run_upload,
    "actions/download-artifact": run_download,
}


async def perform(place: StepPlace, bench: Bench, run_inner: RunInner) -> StepEnd:
    """Run the script or action of a step and return how it ended.

    Raises:
        UsageError: the step asks for what is not there or does not run.
        InfrastructureError: the sandbox, the disk or a registry failed.
    """
    step = place.step
    refused = unsupported_step(step)
    if refused is not None:
        raise UsageError(refused)
    if step.kind == "run":
        return await run_script(place, bench)
    inputs = await settle(lambda: place.evaluator.mapping(step.with_, where="with"), step.with_)
    reference = parse_reference(step.uses or "")
    match reference:
        case LocalAction():
            return await run_local(reference, inputs, place, bench, run_inner)
        case ImageAction(image=image):
            return await run_image(image, inputs, place, bench)
        case BuiltInAction(name=name):
            place.log.write_group(f"Run {step.uses}", [f"{key}: {value}" for key, value in inputs.items()])
            folded = {key.lower(): value for key, value in inputs.items()}
            return await _BUILT_IN[name](folded, place, bench)
        case RemoteAction():
            raise UsageError(f"`{step.uses}` comes from another repository, which this version cannot run")
        case _:
            assert_never(reference)
