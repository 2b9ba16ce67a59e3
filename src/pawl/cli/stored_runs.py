"""Kept runs, read back: the picture of one, and choosing its jobs and steps by what people type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pawl.cli.view.picture import JobPicture, RunPicture, StepPicture
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.model.errors import UsageError
from pawl.core.model.ids import JobId
from pawl.core.model.run_events import RunEvent
from pawl.core.model.status import Conclusion

FAILED = frozenset({Conclusion.FAILURE, Conclusion.TIMED_OUT})


@dataclass(frozen=True, slots=True)
class StepPlace:
    """One step of a kept run: where its log is, and what is known of it."""

    job_id: JobId
    job: JobPicture
    index: int
    step: StepPicture


def draw_picture(events: Iterable[RunEvent]) -> RunPicture:
    """Return what the events of a run add up to."""
    picture = RunPicture()
    for event in events:
        picture.apply(event)
    return picture


def parse_run_number(text: str | None) -> int | None:
    """Return the run number in `12` or `#12`; None, meaning the latest, for nothing or `latest`.

    Raises:
        UsageError: it is no number.
    """
    if text is None or text == "latest":
        return None
    digits = text.removeprefix("#")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):
        raise UsageError(f"`{text}` is no run number", hint="`pawl runs` lists the runs")
    return int(digits)


def select_jobs(picture: RunPicture, wanted: str | None) -> dict[str, JobPicture]:
    """Return the jobs called `wanted` by id, key or name; all without it.

    Raises:
        UsageError: there is none; the message lists what there is.
    """
    if wanted is None:
        return picture.jobs
    folded = wanted.casefold()
    for names_of in (_ids_of, _keys_of):
        found = {job: each for job, each in picture.jobs.items() if folded in names_of(job, each)}
        if found:
            return found
    names = [name for job, each in picture.jobs.items() for name in (each.key, each.name)]
    listed = ", ".join(f"`{name}`" for name in dict.fromkeys(names)) or "none"
    raise UsageError(
        f"the run has no job `{wanted}`", hint=did_you_mean(wanted, names) or f"its jobs: {listed}"
    )


def _ids_of(job: str, picture: JobPicture) -> set[str]:
    return {job.casefold(), picture.name.casefold()}


def _keys_of(job: str, picture: JobPicture) -> set[str]:
    del job
    return {picture.key.casefold()}


def list_steps(jobs: Mapping[str, JobPicture]) -> list[StepPlace]:
    """Return all steps of `jobs` that began or were skipped, in order."""
    return [
        StepPlace(JobId(job_id), job, index, step)
        for job_id, job in jobs.items()
        for index, step in sorted(job.steps.items())
    ]


def select_steps(places: list[StepPlace], wanted: str) -> list[StepPlace]:
    """Return the steps called `wanted`: by name, by number as `pawl why` shows it, or by a part of the name.

    Raises:
        UsageError: there is none; the message lists what there is.
    """
    folded = wanted.casefold()
    by_name = [each for each in places if folded in {each.step.name.casefold(), each.step.id.casefold()}]
    by_number = [each for each in places if wanted == str(each.index)]
    by_part = [each for each in places if folded in each.step.name.casefold()]
    found = by_name or by_number or by_part
    if not found:
        names = list(dict.fromkeys(each.step.name for each in places))
        listed = ", ".join(f"`{name}`" for name in names[:20]) or "none that began"
        hint = did_you_mean(wanted, names) or f"its steps: {listed}"
        raise UsageError(f"there is no step `{wanted}`", hint=hint)
    return found
