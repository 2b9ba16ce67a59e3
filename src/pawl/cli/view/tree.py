"""Drawing the live tree: a pure function from a picture and a size to lines that fit it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pawl.cli.terminal.durations import count, show_duration
from pawl.cli.terminal.lines import Line, Piece, Style, fit, line
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import Glyphs, Screen
from pawl.cli.view.log_text import Marker, read_line
from pawl.cli.view.picture import JobPicture, Phase, RunPicture, StepPicture
from pawl.core.model.status import Conclusion


@dataclass(frozen=True, slots=True, kw_only=True)
class _Detail:
    """How much is shown. Views try one after the other until the tree fits the screen."""

    tail: int
    done_steps: bool
    done_jobs: bool = True
    waiting_jobs: bool = True
    failed_tail: int = 0


_DETAILS = (
    _Detail(tail=6, failed_tail=6, done_steps=True),
    _Detail(tail=4, failed_tail=4, done_steps=False),
    _Detail(tail=2, failed_tail=2, done_steps=False),
    _Detail(tail=1, done_steps=False),
    _Detail(tail=1, done_steps=False, done_jobs=False),
    _Detail(tail=1, done_steps=False, done_jobs=False, waiting_jobs=False),
    _Detail(tail=0, done_steps=False, done_jobs=False, waiting_jobs=False),
)

_SIGNS = {
    Conclusion.SUCCESS: ("success", Style.GOOD),
    Conclusion.FAILURE: ("failure", Style.BAD),
    Conclusion.TIMED_OUT: ("failure", Style.BAD),
    Conclusion.CANCELLED: ("cancelled", Style.WARN),
    Conclusion.SKIPPED: ("skipped", Style.FAINT),
}
_BAD = frozenset({Conclusion.FAILURE, Conclusion.TIMED_OUT})


def sign_of(conclusion: Conclusion | None, phase: Phase, glyphs: Glyphs) -> Piece:
    """Return the one-cell sign of a job or step, in its colour."""
    if conclusion is not None:
        name, style = _SIGNS[conclusion]
        return Piece(getattr(glyphs, name), style)
    if phase is Phase.RUNNING:
        return Piece(glyphs.running, Style.NOTE)
    return Piece(glyphs.waiting, Style.FAINT)


def draw_tree(picture: RunPicture, *, now: float, screen: Screen) -> list[Line]:
    """Return the lines of the tree: never more than the screen's height, none wider than it."""
    room = screen.height - 1  # the line the cursor stands on
    lines: list[Line] = []
    for detail in _DETAILS:
        lines = [_head(picture, now, screen), *_draw_jobs(picture, now, screen, detail)]
        if len(lines) <= room:
            return lines
    hidden = len(lines) - room + 1
    return [
        *lines[: room - 1],
        line(Piece(f"{screen.glyphs.ellipsis} {count(hidden, 'more line')}", Style.FAINT)),
    ]


def _head(picture: RunPicture, now: float, screen: Screen) -> Line:
    start = picture.start
    if start is None:
        return line(Piece("starting", Style.FAINT))
    dot = f" {screen.glyphs.dot} "
    facts = dot.join((f"run {start.number}", one_line(start.event), one_line(start.executor)))
    left = line(Piece(one_line(start.workflow), Style.STRONG), Piece(f"  {facts}", Style.FAINT))
    if picture.cancelling:
        left = (*left, Piece("  cancelling", Style.WARN))
    return fit(left, _clock(now - start.time), screen.width, ellipsis=screen.glyphs.ellipsis)


def _draw_jobs(picture: RunPicture, now: float, screen: Screen, detail: _Detail) -> Iterator[Line]:
    jobs = list(picture.jobs.values())
    quiet = [job for job in jobs if job.conclusion is not None and job.conclusion not in _BAD]
    waiting = [job for job in jobs if job.phase is Phase.WAITING and job.conclusion is None]
    hidden_done = quiet if not detail.done_jobs else []
    hidden_waiting = waiting if not detail.waiting_jobs else []
    if hidden_done:
        yield line(Piece(f"{screen.glyphs.success} ", Style.GOOD), f"{count(len(hidden_done), 'job')} done")
    for job in jobs:
        if job not in hidden_done and job not in hidden_waiting:
            yield from _draw_job(job, now, screen, detail)
    if hidden_waiting:
        yield line(Piece(f"{screen.glyphs.waiting} {count(len(hidden_waiting), 'job')} waiting", Style.FAINT))


def _draw_job(job: JobPicture, now: float, screen: Screen, detail: _Detail) -> Iterator[Line]:
    glyphs = screen.glyphs
    sign = sign_of(job.conclusion, job.phase, glyphs)
    faint = job.conclusion is Conclusion.SKIPPED or job.phase is Phase.WAITING
    left = line(sign, " ", Piece(job.name, Style.FAINT if faint else Style.PLAIN), _note(job))
    running = job.phase is Phase.RUNNING
    clock = _clock(now - job.started) if running else _took(job.duration)
    yield fit(left, clock, screen.width, ellipsis=glyphs.ellipsis)
    if running:
        yield from _draw_steps(job, now, screen, detail)
    elif job.conclusion in _BAD and detail.failed_tail:
        step = job.failed_step
        if step is not None:
            yield from _draw_tail(step, screen, detail.failed_tail)


def _note(job: JobPicture) -> Piece:
    if job.cancelling and job.phase is Phase.RUNNING:
        return Piece("  cancelling", Style.WARN)
    if job.conclusion is Conclusion.SKIPPED:
        return Piece("  skipped", Style.FAINT)
    if job.conclusion in _BAD:
        return Piece(f"  {job.failure}", Style.BAD)
    if job.conclusion is Conclusion.CANCELLED:
        return Piece("  cancelled", Style.WARN)
    if job.phase is Phase.WAITING:
        return Piece("  queued" if job.queued else "  waiting", Style.FAINT)
    return Piece("  again" if job.attempt > 1 else "", Style.WARN)


def _draw_steps(job: JobPicture, now: float, screen: Screen, detail: _Detail) -> Iterator[Line]:
    ended = [step for step in job.steps.values() if step.phase is Phase.ENDED]
    # While a step runs its log has the same line.
    if job.progress and not any(step.phase is Phase.RUNNING for step in job.steps.values()):
        yield fit(line("  ", Piece(job.progress, Style.FAINT)), Piece(""), screen.width)
    hidden = 0
    for step in ended:
        if detail.done_steps or step.conclusion in _BAD:
            yield _step_line(step, _took(step.duration), screen)
        else:
            hidden += 1
    total = max(len(job.step_names), len(job.steps))
    for step in job.steps.values():
        if step.phase is Phase.RUNNING:
            place = f"{hidden + 1}/{total} " if hidden else ""
            yield _step_line(step, _clock(now - step.started), screen, place)
            yield from _draw_tail(step, screen, detail.tail)
    left = total - len(job.steps)
    if left > 0 and detail.done_steps:
        yield line(Piece(f"  {screen.glyphs.waiting} {count(left, 'more step')}", Style.FAINT))


def _step_line(step: StepPicture, clock: Piece, screen: Screen, place: str = "") -> Line:
    faint = Style.FAINT if step.conclusion is Conclusion.SKIPPED else Style.PLAIN
    left = line(
        "  ",
        sign_of(step.conclusion, step.phase, screen.glyphs),
        " ",
        Piece(place, Style.FAINT),
        Piece(step.name, faint),
    )
    return fit(left, clock, screen.width, ellipsis=screen.glyphs.ellipsis)


def _draw_tail(step: StepPicture, screen: Screen, most: int) -> Iterator[Line]:
    for shown in [read_line(raw, colour=False) for raw in list(step.tail)[-most:] if most]:
        if shown.marker is Marker.END_GROUP:
            continue
        text = shown.text.expandtabs(4).replace("\n", " ")
        pieces = line(Piece(f"    {screen.glyphs.bar} ", Style.FAINT), Piece(text, Style.FAINT))
        yield fit(pieces, Piece(""), screen.width, ellipsis=screen.glyphs.ellipsis)


def _clock(seconds: float) -> Piece:
    return Piece(show_duration(seconds, precise=False), Style.NOTE)


def _took(seconds: float) -> Piece:
    return Piece(show_duration(seconds) if seconds else "", Style.FAINT)
