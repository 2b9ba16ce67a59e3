"""Actions of the repository itself: `./path`, read from the workspace when the step starts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pawl.core.diagnostics import Severity
from pawl.core.expressions import ObjectValue
from pawl.core.model.errors import UsageError
from pawl.core.workflow.action import parse_action
from pawl.core.workflow.action_syntax import Action, CompositeRuns, DockerRuns, NodeRuns
from pawl.core.workflow.nodes import to_json
from pawl.engine.execution.actions.checkout import fill
from pawl.engine.execution.actions.composite import run_composite
from pawl.engine.execution.actions.image import (
    input_variables,
    refuse_untrusted,
    run_container,
    split_arguments,
)
from pawl.engine.execution.actions.reference import LocalAction
from pawl.engine.execution.bench import Bench
from pawl.engine.execution.folders import read_workspace_file
from pawl.engine.execution.steps.end import StepEnd
from pawl.engine.execution.steps.place import RunInner, StepPlace

_NAMES = ("action.yml", "action.yaml")
MAX_ACTION_FILE = 1_048_576
"""Bytes of an action file."""


@dataclass(frozen=True, slots=True)
class LoadedAction:
    """An action file and where it is: on this machine, and inside."""

    action: Action
    folder: Path
    inside: str


async def run_local(
    reference: LocalAction, inputs: Mapping[str, str], place: StepPlace, bench: Bench, run_inner: RunInner
) -> StepEnd:
    """Run an action of the repository.

    Raises:
        UsageError: there is none, its file has errors, or it is of a kind that does not run.
        InfrastructureError: the sandbox, the disk or a registry failed.
    """
    loaded = await load_action(reference, bench)
    given = complete_inputs(loaded.action, inputs, place)
    match loaded.action.runs:
        case CompositeRuns() as runs:
            return await run_composite(loaded.action, runs, loaded.inside, given, place, bench, run_inner)
        case DockerRuns() as runs:
            return await _run_docker(runs, given, place, bench)
        case NodeRuns(using=using):
            raise UsageError(
                f"the action `{place.step.uses}` is written in JavaScript (`using: {using}`), "
                "and those come with a later version of Pawl"
            )


async def load_action(reference: LocalAction, bench: Bench) -> LoadedAction:
    """Return the action that `./path` or `$/path` names.

    Raises:
        UsageError: there is none, or its file has errors.
    """
    workspace = bench.machine.folder.workspace
    root, inside_root = workspace, bench.machine.sandbox.workspace
    if reference.from_repository:
        root = bench.machine.folder.actions / "_self"
        if not root.exists():
            root.mkdir()
            await fill(bench.outside.source, root)
            await bench.machine.sandbox.send([root])
        inside_root = bench.machine.sandbox.inside(root)
    else:
        await bench.machine.sandbox.fetch([workspace])
    folder = PurePosixPath(reference.path)
    for name in _NAMES:
        content = await asyncio.to_thread(
            read_workspace_file, root, str(folder / name), limit=MAX_ACTION_FILE
        )
        if content is not None:
            action = _parsed(content, str(folder / name))
            return LoadedAction(action, root / folder, str(PurePosixPath(inside_root) / folder))
    if await asyncio.to_thread((root / folder / "Dockerfile").is_file):
        raise UsageError(_no_building(str(folder / "Dockerfile")))
    where = "" if reference.from_repository else " in the workspace"
    raise UsageError(
        f"there is no action.yml, action.yaml or Dockerfile in `{reference.path}`{where}",
        hint="check the path; actions of the repository are there once `actions/checkout` has run",
    )


def _parsed(content: bytes, name: str) -> Action:
    parsed = parse_action(content, name)
    errors = [
        finding
        for finding in parsed.diagnostics
        # A local action may do without name and description: the runner does not ask for them.
        if finding.severity is Severity.ERROR and finding.code != "missing-key"
    ]
    if parsed.action is None or (errors and not isinstance(parsed.action.runs, NodeRuns)):
        told = "; ".join(f"{name}:{found.span.start}: {found.message}" for found in errors[:5])
        raise UsageError(f"the action cannot be used: {told or name + ' does not say what to run'}")
    return parsed.action


def complete_inputs(action: Action, inputs: Mapping[str, str], place: StepPlace) -> dict[str, str]:
    """Return the inputs with defaults, all as text; says which of them the action does not declare.

    Raises:
        UsageError: a default cannot be evaluated.
    """
    declared = {declared.name.text.lower(): declared for declared in action.inputs}
    given = {name.lower(): value for name, value in inputs.items()}
    unknown = [name for name in inputs if name.lower() not in declared]
    if unknown:
        names = ", ".join(f"'{name}'" for name in unknown)
        valid = ", ".join(f"'{item.name.text}'" for item in action.inputs)
        place.log.write_line(f"##[warning]Unexpected input(s) {names}, valid inputs are [{valid}]")
    complete: dict[str, str] = {}
    for folded, item in declared.items():
        if folded in given:
            complete[item.name.text] = given[folded]
        elif item.default is not None:
            complete[item.name.text] = place.evaluator.text(
                to_json(item.default), where=f"inputs.{item.name.text}.default"
            )
        elif item.required:
            place.log.write_line(f"##[warning]The required input '{item.name.text}' is not given")
    return {**complete, **{name: inputs[name] for name in unknown}}


async def _run_docker(runs: DockerRuns, inputs: Mapping[str, str], place: StepPlace, bench: Bench) -> StepEnd:
    if not runs.image.text.startswith("docker://"):
        raise UsageError(_no_building(runs.image.text))
    if runs.pre_entrypoint is not None or runs.post_entrypoint is not None:
        place.log.write_line(
            "##[warning]pre-entrypoint and post-entrypoint come with a later version; left out"
        )
    evaluator = place.evaluator.with_contexts(inputs=_inputs_value(inputs))
    folded = {name.lower(): value for name, value in inputs.items()}
    if runs.args is not None:
        arguments = [evaluator.text(to_json(node), where="runs.args") for node in runs.args]
    else:
        arguments = split_arguments(folded.get("args", ""))
        refuse_untrusted(folded.get("entrypoint", ""), "with.entrypoint")
    env = evaluator.mapping(to_json(runs.env), where="runs.env")
    return await run_container(
        runs.image.text.removeprefix("docker://"),
        arguments=arguments,
        entrypoint=runs.entrypoint.text if runs.entrypoint is not None else folded.get("entrypoint"),
        env={
            **{name: value for name, value in env.items() if name not in place.env},
            **input_variables(inputs),
        },
        inputs=inputs,
        place=place,
        bench=bench,
    )


def _inputs_value(inputs: Mapping[str, str]) -> ObjectValue:
    return ObjectValue(dict(inputs))


def _no_building(name: str) -> str:
    return (
        f"the action would be built from `{name}`, and building images comes with a later version of Pawl "
        "(`image: docker://name` runs today)"
    )
