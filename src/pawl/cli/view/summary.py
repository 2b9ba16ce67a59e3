"""The end of a run on one screen: jobs, the first failure with its last lines, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from pawl.cli.terminal.durations import count, show_duration, show_size
from pawl.cli.terminal.lines import Line, Piece, Style, fit, line
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import Screen
from pawl.cli.view.log_text import read_line
from pawl.cli.view.picture import JobPicture, Phase, RunPicture
from pawl.cli.view.plain import draw_log_line
from pawl.cli.view.tree import sign_of
from pawl.core.model.run_events import Annotated
from pawl.core.model.status import Conclusion

_TAIL = 15
_SHORTEST_TAIL = 5
_MOST_ANNOTATIONS = 10
_FOLDED = 3
_WORDS = {
    Conclusion.SUCCESS: "succeeded",
    Conclusion.FAILURE: "failed",
    Conclusion.TIMED_OUT: "timed out",
    Conclusion.CANCELLED: "was cancelled",
    Conclusion.SKIPPED: "was skipped",
}
_BAD = frozenset({Conclusion.FAILURE, Conclusion.TIMED_OUT})


def draw_summary(
    picture: RunPicture, screen: Screen, *, folder: str, commands: Sequence[str] | None = None
) -> list[Line]:
    """Return the summary of a finished run; its rows keep to the screen, log lines are not cut.

    Args:
        picture: of the run.
        screen: to draw on.
        folder: where its logs are, as it is shown.
        commands: what one would type next, when it is not what a run of this machine suggests.
    """
    start, finish = picture.start, picture.finish
    if start is None or finish is None:
        return []
    jobs = list(_draw_jobs(picture, screen))
    annotations = list(_draw_annotations(picture, screen))
    places = list(_draw_places(picture, folder, next_commands(picture) if commands is None else commands))
    # On a low terminal the head should still be seen: the rest of the log is one command away.
    room = screen.height - len(jobs) - len(annotations) - len(places) - 8
    tail = max(_SHORTEST_TAIL, min(_TAIL, room)) if screen.is_terminal else _TAIL
    blocks = [jobs, list(_draw_failure(picture, screen, tail)), annotations, places]
    head = line(
        sign_of(finish.conclusion, Phase.ENDED, screen.glyphs),
        " ",
        Piece(one_line(start.workflow), Style.STRONG),
        f" {_WORDS[finish.conclusion]} in {show_duration(finish.duration)}",
        Piece(f"  run {start.number}", Style.FAINT),
    )
    lines = [head, *([line("  ", one_line(finish.reason))] if finish.reason else [])]
    for block in blocks:
        if block:
            lines += [(), *block]
    return lines


def _draw_jobs(picture: RunPicture, screen: Screen) -> Iterator[Line]:
    for _, alike in groupby(picture.jobs.values(), _what_is_told):
        jobs = list(alike)
        if len(jobs) < _FOLDED:
            yield from (_draw_job(job, job.name, screen) for job in jobs)
        else:
            yield _draw_job(jobs[0], f"{jobs[0].key}: {count(len(jobs), 'job')}", screen)


def _what_is_told(job: JobPicture) -> tuple[object, ...]:
    """Return what makes rows alike: jobs of a matrix that never began, for the same reason."""
    never_began = not job.steps and job.conclusion in {Conclusion.CANCELLED, Conclusion.SKIPPED}
    return (job.key, job.conclusion, job.reason) if never_began else (id(job),)


def _draw_job(job: JobPicture, name: str, screen: Screen) -> Line:
    sign = sign_of(job.conclusion, job.phase, screen.glyphs)
    faint = Style.FAINT if job.conclusion is Conclusion.SKIPPED else Style.PLAIN
    left = line("  ", sign, " ", Piece(name, faint), *_why(job))
    took = Piece(show_duration(job.duration) if job.duration else "", Style.FAINT)
    return fit(left, took, min(screen.width, 100), ellipsis=screen.glyphs.ellipsis)


def _why(job: JobPicture) -> tuple[Piece, ...]:
    if job.conclusion is Conclusion.SUCCESS:
        return ()
    if job.conclusion in _BAD:
        return (Piece(f"  {job.failure}", Style.BAD),)
    return (Piece(f"  {one_line(job.reason) or job.conclusion or 'never started'}", Style.FAINT),)


def first_failure(picture: RunPicture) -> JobPicture | None:
    """Return the job that failed first by time, as far as its steps tell."""
    failed = [job for job in picture.jobs.values() if job.conclusion in _BAD]
    return min(failed, key=lambda job: job.started + job.duration, default=None)


def _draw_failure(picture: RunPicture, screen: Screen, most: int) -> Iterator[Line]:
    job = first_failure(picture)
    if job is None:
        return
    step = job.failed_step
    arrow = f" {screen.glyphs.arrow} "
    where = arrow.join((job.name, step.name) if step else (job.name,))
    reason = one_line(step.reason if step and step.reason else job.reason) or "failed"
    yield line(Piece("First failure: ", Style.BAD_STRONG), Piece(where, Style.STRONG), f": {reason}")
    for raw in list(step.tail)[-most:] if step else ():
        drawn = draw_log_line(read_line(raw, colour=screen.colour), indent=False, screen=screen)
        if drawn is not None:
            yield line(Piece(f"  {screen.glyphs.bar} ", Style.FAINT), *drawn)


def _draw_annotations(picture: RunPicture, screen: Screen) -> Iterator[Line]:
    wanted = [one for one in picture.annotations if one.level in {"error", "failure", "warning"}]
    # The jobs of a matrix often say the same.
    shown = list(dict.fromkeys(_draw_annotation(one) for one in wanted))
    yield from shown[:_MOST_ANNOTATIONS]
    if len(shown) > _MOST_ANNOTATIONS:
        more = f"{screen.glyphs.ellipsis} {len(shown) - _MOST_ANNOTATIONS} more in the logs"
        yield line(Piece(more, Style.FAINT))


def _draw_annotation(one: Annotated) -> Line:
    style = Style.WARN if one.level == "warning" else Style.BAD
    place = ":".join(str(part) for part in (one.file, one.line, one.column) if part)
    title = f"{one_line(one.title)}: " if one.title else ""
    where = f"{one_line(place)}: " if place else ""
    return line(Piece(f"{one.level}: ", style), f"{where}{title}{one_line(one.message)}")


def _draw_places(picture: RunPicture, folder: str, commands: Sequence[str]) -> Iterator[Line]:
    if picture.artifacts:
        listed = ", ".join(
            f"{one_line(one.name)} ({count(one.files, 'file')}, {show_size(one.size)})"
            for one in picture.artifacts
        )
        yield line(Piece("Artifacts  ", Style.FAINT), listed)
    yield line(Piece("Logs       ", Style.FAINT), one_line(folder))
    for number, command in enumerate(commands):
        yield line(Piece("           " if number else "Next       ", Style.FAINT), Piece(command, Style.NOTE))


def next_commands(picture: RunPicture) -> list[str]:
    """Return what one would most likely type next, the most useful first."""
    start, finish = picture.start, picture.finish
    if start is None or finish is None:
        return []
    if finish.conclusion is Conclusion.SUCCESS:
        return [f"pawl logs {start.number}"]
    kept = [job for job in picture.jobs.values() if job.kept_sandbox]
    failed = first_failure(picture)
    commands = [f"pawl logs {start.number} --failed" if failed else f"pawl logs {start.number}"]
    if kept:
        commands.append(f"pawl shell {_quote(kept[0].key)}")
    elif failed and _failed_in_container(failed) and start.executor == "docker":
        commands.append(f"pawl run {_quote(start.path)} -j {_quote(failed.key)} --keep-on-failure")
    commands.append(f"pawl why {start.number}" + (f" {_quote(_one_job(picture, failed))}" if failed else ""))
    return commands


def _one_job(picture: RunPicture, wanted: JobPicture) -> str:
    """Return what names this job alone: its key, or its id where a matrix shares the key."""
    ids = [job_id for job_id, job in picture.jobs.items() if job.key == wanted.key]
    return wanted.key if len(ids) == 1 else next(each for each in ids if picture.jobs[each] is wanted)


def _failed_in_container(job: JobPicture) -> bool:
    """Return whether a container is worth keeping: a job that failed in its set-up (step 0) has none."""
    step = job.failed_step
    return step is not None and step is not job.steps.get(0)


def _quote(word: str) -> str:
    plain = word.replace("-", "").replace("_", "").replace(".", "").replace("/", "").isalnum()
    return word if plain else "'" + word.replace("'", "'\\''") + "'"
