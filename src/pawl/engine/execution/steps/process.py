"""The process of a step: its environment, its output, its end, and what it handed on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pawl.core.expressions import is_untrusted, to_value
from pawl.core.model.errors import InfrastructureError
from pawl.core.model.status import FailureClass
from pawl.core.steps.commands import CommandParser
from pawl.engine.execution.bench import Bench
from pawl.engine.execution.environment import step_environment
from pawl.engine.execution.folders import is_full
from pawl.engine.execution.output import follow_output
from pawl.engine.execution.output_reading import OutputReading
from pawl.engine.execution.processes import wait_or_stop
from pawl.engine.execution.steps.command_files import HandedOn, read_command_files
from pawl.engine.execution.steps.commands import CommandEffects
from pawl.engine.execution.steps.end import StepEnd, end_of
from pawl.engine.execution.steps.place import StepPlace
from pawl.ports.executor import Exit, ImageRef, Process, ProcessSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the process of a step is.

    Attributes:
        env: variables besides those that every step has; they win.
        cwd: an inside path.
        image: of a docker action; `argv` is then its arguments.
        written: files that the engine wrote for it.
        untrusted: whether values that outsiders control went into it.
    """

    argv: Sequence[str]
    cwd: str
    env: Mapping[str, str] = field(default_factory=dict)
    image: ImageRef | None = None
    entrypoint: str | None = None
    written: Collection[Path] = ()
    untrusted: bool = False


async def run_work(work: Work, place: StepPlace, bench: Bench) -> StepEnd:
    """Run the process of a step and return how it ended, with its outputs; hand on what it left for others.

    The step's command files must have been made.

    Raises:
        InfrastructureError: the sandbox is gone, or a file cannot be written.
        UsageError: the executor cannot do what is asked (a docker action on the host).
    """
    machine = bench.machine
    untrusted = work.untrusted or is_untrusted(to_value(dict(place.own_env)))
    effects = CommandEffects(
        bench.handover,
        untrusted=untrusted,
        add_matcher=lambda path: bench.matchers.add_file(path, place.log.write_line),
        remove_matcher=bench.matchers.remove,
    )
    await machine.sandbox.send([*place.files.paths, *work.written])
    process = await machine.sandbox.run(
        ProcessSpec(
            id=f"p{next(bench.handover.process_numbers)}",
            argv=work.argv,
            env={str(name): str(value) for name, value in _environment(work, place, bench).items()},
            cwd=work.cwd,
            image=work.image,
            entrypoint=work.entrypoint,
        )
    )
    reading = OutputReading(
        place.log,
        on_command=effects.take,
        parser=CommandParser.for_env(place.env),
        matching=bench.matchers.open(),
        debug=bench.debug,
    )
    exit_ = await _follow(process, reading, place, bench)
    await machine.sandbox.fetch(place.files.paths)
    handed_on = read_command_files(place.files, untrusted=untrusted)
    _hand_on(handed_on, place, bench)
    end = end_of(exit_) if exit_.by_executor else await _blame(end_of(exit_), bench)
    end = replace(end, outputs={**effects.outputs, **handed_on.outputs})
    return end.failed_by([*effects.faults, *handed_on.faults])


async def _blame(end: StepEnd, bench: Bench) -> StepEnd:
    """Return the end of a process that was lost with whose fault it was.

    Where the executor still answers, the step most likely ended its own shell or container.
    """
    if end.failure_class is not FailureClass.INFRASTRUCTURE:
        return end
    try:
        await bench.outside.probe()
    except InfrastructureError as error:
        return replace(end, reason=f"{end.reason}: {error.message}")
    return replace(end, failure_class=FailureClass.USER)


def _environment(work: Work, place: StepPlace, bench: Bench) -> dict[str, str]:
    machine = bench.machine
    own = {"GITHUB_ACTION": place.step.id, **place.files.variables(machine.sandbox)}
    if place.scope.action is not None:
        own["GITHUB_ACTION_PATH"] = place.scope.action.path
    shared = bench.handover.environment
    if work.image is not None:
        # The image of a docker action has programs of its own: the job's PATH means nothing there.
        shared = replace(shared, folders=())
    merged = step_environment({**machine.system, **own}, place.env, shared, machine.inherited_path)
    return {**merged, **work.env}


async def _follow(process: Process, reading: OutputReading, place: StepPlace, bench: Bench) -> Exit:
    root = bench.machine.folder.root

    async def ending() -> Exit:
        exit_ = await wait_or_stop(process, stop=place.stop, clock=bench.clock, limits=bench.limits)
        # Now, before reading its output gives room back.
        if is_full(root):
            message = "The disk of the jobs' folders is full: output may be missing, and files incomplete"
            place.log.write_line(f"##[error]{message}; free some of it, or set PAWL_WORK to another")
        return exit_

    return await follow_output(process, reading, bench.clock, wait=ending(), most=bench.limits.output)


def _hand_on(handed_on: HandedOn, place: StepPlace, bench: Bench) -> None:
    handover, mask = bench.handover, bench.secrets.mask_text
    handover.environment = handover.environment.with_variables(handed_on.env).with_folders(handed_on.folders)
    for message in handed_on.refused:
        place.log.write_line(f"##[error]{message}")
    kept = sum(map(len, handover.summaries))
    if handed_on.summary and kept + len(handed_on.summary) <= bench.limits.summary:
        handover.summaries.append(mask(handed_on.summary))
    elif handed_on.summary:
        place.log.write_line(
            "##[warning]The job's step summaries are too long together; this one is left out"
        )
