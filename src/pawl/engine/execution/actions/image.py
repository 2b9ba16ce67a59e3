"""Actions that run in an image of their own: `docker://image`, and local ones with a ready image."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from pawl.core.expressions import is_untrusted, to_value
from pawl.core.model.errors import UsageError
from pawl.engine.execution.bench import Bench
from pawl.engine.execution.steps.end import StepEnd
from pawl.engine.execution.steps.place import StepPlace
from pawl.engine.execution.steps.process import Work, run_work
from pawl.ports.executor import ImageRef


async def run_image(image: str, inputs: Mapping[str, str], place: StepPlace, bench: Bench) -> StepEnd:
    """Run `uses: docker://image` with its inputs `entrypoint` and `args`.

    Raises:
        UsageError: the image cannot be had, or `args` cannot be taken apart.
        InfrastructureError: the engine or the registry failed.
    """
    folded = {name.lower(): value for name, value in inputs.items()}
    refuse_untrusted(folded.get("entrypoint", ""), "with.entrypoint")
    return await run_container(
        image,
        arguments=split_arguments(folded.get("args", "")),
        entrypoint=folded.get("entrypoint") or None,
        env=input_variables(inputs),
        inputs=inputs,
        place=place,
        bench=bench,
    )


async def run_container(
    image: str,
    *,
    arguments: Sequence[str],
    entrypoint: str | None,
    env: Mapping[str, str],
    inputs: Mapping[str, str],
    place: StepPlace,
    bench: Bench,
) -> StepEnd:
    """Run a container beside the job's, with the same folders and network, and return how it ended."""
    log = place.log
    shown = " ".join(part for part in (entrypoint or "", shlex.join(arguments)) if part)
    log.write_group(f"Run {place.step.uses}", [f"image: {image}", *([f"command: {shown}"] if shown else [])])
    reference = ImageRef(name=image)
    place.files.make()
    await bench.outside.pull(reference, log.write_line)
    work = Work(
        argv=tuple(arguments),
        cwd=bench.machine.sandbox.workspace,
        env={**env, "HOME": bench.machine.sandbox.home},
        image=reference,
        entrypoint=entrypoint,
        untrusted=is_untrusted(to_value([*arguments, *inputs.values()])),
    )
    return await run_work(work, place, bench)


def input_variables(inputs: Mapping[str, str]) -> dict[str, str]:
    """Return `INPUT_<NAME>` for every input: capitals, blanks become `_` (actions/runner Handler.cs)."""
    return {f"INPUT_{name.replace(' ', '_').upper()}": value for name, value in inputs.items()}


def refuse_untrusted(text: str, where: str) -> None:
    """Refuse a text that decides what is run when outsiders had a hand in it.

    Raises:
        UsageError: they had.
    """
    if is_untrusted(text):
        raise UsageError(
            f"`{where}` holds a value that outsiders control (untrusted-in-script)",
            hint="pass it in `env:`, and let the program read the variable",
        )


def split_arguments(text: str) -> list[str]:
    """Return `with.args` as words, as a POSIX shell would quote them; nothing in it is expanded.

    Raises:
        UsageError: a quote is not closed, or a value that outsiders control stands in it: with quotes of its
            own it could add words, and words are often commands (M8).
    """
    refuse_untrusted(text, "with.args")
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"`with.args` cannot be taken apart: {str(error).lower()}") from error
