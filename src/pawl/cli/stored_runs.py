"""Kept runs, read back: the picture of one, and choosing its jobs and steps by what people type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pawl.cli.terminal.sanitise import one_line
from pawl.cli.view.picture import JobPicture, RunPicture, StepPicture
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.model.errors import UsageError
from pawl.core.model.ids import JobId
from pawl.core.model.run_events import JobQueued, JobStarted, RunEvent
from pawl.core.model.status import Conclusion

FAILED = frozenset({Conclusion.FAILURE, Conclusion.TIMED_OUT})


@dataclass(frozen=True, slots=True)
class StepPlace:
    """One step of a kept run: where its log is, and what is known of it."""

    job_id: JobId
    job: JobPicture
    index: int
    step: StepPicture


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWish:
    """Which steps are wanted, by what people type; None is all.

    `attempt` is the number of an attempt; None is each job's last.
    """

    job: str | None = None
    step: str | None = None
    failed: bool = False
    attempt: int | None = None

    def has(self, place: StepPlace) -> bool:
        """Return whether a step is one of those, as far as it is known by now; `failed` is not looked at."""
        return self._has_job(place) and self._has_step(place)

    def _has_job(self, place: StepPlace) -> bool:
        names = {place.job_id.casefold(), place.job.name.casefold(), place.job.key.casefold()}
        return self.job is None or self.job.casefold() in names

    def _has_step(self, place: StepPlace) -> bool:
        if self.step is None:
            return True
        wanted, name = self.step.casefold(), place.step.name.casefold()
        return wanted in {place.step.id.casefold(), str(place.index)} or wanted in name


def draw_picture(events: Iterable[RunEvent]) -> RunPicture:
    """Return what the events of a run add up to."""
    picture = RunPicture()
    for event in events:
        picture.apply(event)
    return picture


def of_attempt(events: Iterable[RunEvent], attempt: int) -> list[RunEvent]:
    """Return the events of a run with those attempts of its jobs only that have this number.

    Raises:
        UsageError: no job has such an attempt.
    """
    kept: list[RunEvent] = []
    now: dict[str, int] = {}
    begun: dict[str, set[int]] = {}
    for event in events:
        job = getattr(event, "job", None)
        if isinstance(event, JobStarted):
            now[event.job] = event.attempt
            begun.setdefault(event.job, set()).add(event.attempt)
        elif isinstance(event, JobQueued):
            now[event.job] = attempt if event.job not in now else 0
        if job is None or now.get(job) == attempt:
            kept.append(event)
    wanted = {None, *(job for job, attempts in begun.items() if attempt in attempts)}
    if len(wanted) == 1:
        most = max((max(attempts) for attempts in begun.values()), default=0)
        raise UsageError(
            f"no job of the run has an attempt {attempt}",
            hint=f"the highest number of an attempt is {most}" if most else "none has begun",
        )
    return [event for event in kept if getattr(event, "job", None) in wanted]


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


def look_back(events: Iterable[RunEvent], wish: StepWish) -> RunPicture:
    """Return the picture of a kept run, as it was after the attempts that are wanted.

    Raises:
        UsageError: there is no such attempt.
    """
    return draw_picture(events if wish.attempt is None else of_attempt(events, wish.attempt))


def choose_steps(picture: RunPicture, wish: StepWish) -> list[StepPlace]:
    """Return the steps that are wanted, in order.

    Raises:
        UsageError: there is no such job or step.
    """
    places = list_steps(select_jobs(picture, wish.job))
    if wish.step is not None:
        places = select_steps(places, wish.step)
    return [each for each in places if not wish.failed or each.step.outcome in FAILED]


def failed_without_a_step(picture: RunPicture, wish: StepWish) -> list[str]:
    """Return a sentence for each wanted job whose failure no log tells, as that no worker came."""
    if wish.step is not None:
        return []
    return [
        f"job {job.name}: {one_line(job.reason)}"
        for job in select_jobs(picture, wish.job).values()
        if job.conclusion in FAILED and job.failed_step is None and job.reason
    ]
