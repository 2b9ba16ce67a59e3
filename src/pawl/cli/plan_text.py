"""Drawing a plan: what starts, which jobs and steps would run, and why."""

from __future__ import annotations

from collections.abc import Iterator

from pawl.cli.outlooks import StepOutlook, step_outlooks
from pawl.cli.terminal.durations import count
from pawl.cli.terminal.lines import Line, Piece, Style, line
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import Glyphs, Screen
from pawl.core.model.plan import Outlook, Plan, PlannedJob, Verdict

_MOST_COMBINATIONS = 12
_STYLES = {
    Outlook.RUNS: Style.GOOD,
    Outlook.SKIPPED: Style.FAINT,
    Outlook.DECIDED_LATER: Style.WARN,
}
_WORDS = {Outlook.RUNS: "runs", Outlook.SKIPPED: "skipped", Outlook.DECIDED_LATER: "decided later"}


def outlook_sign(outlook: Outlook, glyphs: Glyphs) -> Piece:
    """Return the sign of an outlook, in its colour."""
    sign = {Outlook.RUNS: glyphs.success, Outlook.SKIPPED: glyphs.skipped, Outlook.DECIDED_LATER: "?"}
    return Piece(sign[outlook], _STYLES[outlook])


def draw_plan(plan: Plan, screen: Screen, *, verbose: bool = True, trace: bool = False) -> Iterator[Line]:
    """Yield the lines of one workflow's plan.

    Args:
        plan: of the workflow.
        screen: to draw on.
        verbose: show the jobs also when the event does not start it.
        trace: show the values of all conditions, not only of the false ones.
    """
    yield line(Piece(one_line(plan.name), Style.STRONG), Piece(f"  {one_line(plan.path)}", Style.FAINT))
    starts = plan.trigger.outlook is Outlook.RUNS
    # One line a filter says it all when it starts; else the filter that decided is named first.
    word = "starts" if starts else f"does not start: {one_line(plan.trigger.reason)}"
    yield line("  ", outlook_sign(plan.trigger.outlook, screen.glyphs), f" {word}")
    for filter_line in plan.trigger.trace:
        yield line(Piece(f"      {one_line(filter_line)}", Style.FAINT))
    if not starts:
        if not verbose:
            return
        yield ()
        yield line(Piece("  Were it to start, this is what its jobs would do:", Style.FAINT))
    for job in plan.jobs:
        yield ()
        yield from draw_job(plan, job, screen, trace=trace)


def draw_job(plan: Plan, job: PlannedJob, screen: Screen, *, trace: bool = False) -> Iterator[Line]:
    """Yield the lines of one job: its verdict, its combinations, its steps with theirs."""
    needs = f"  needs {', '.join(job.needs)}" if job.needs else ""
    yield line(
        "  ",
        outlook_sign(job.verdict.outlook, screen.glyphs),
        " ",
        Piece(job.key, Style.STRONG),
        Piece(needs, Style.FAINT),
        *_because(job.verdict),
    )
    yield from _trace(job.verdict, "      ", wanted=trace)
    yield from _draw_combinations(job)
    for sentence in job.unsupported:
        yield line(Piece("      ! not supported: ", Style.BAD), one_line(sentence))
    for sentence in job.notes:
        yield line(Piece("      ! note: ", Style.WARN), one_line(sentence))
    if job.verdict.outlook is Outlook.SKIPPED:
        return
    for outlook in step_outlooks(plan, job):
        yield from draw_step(outlook, screen, trace=trace)


def draw_step(outlook: StepOutlook, screen: Screen, *, trace: bool = False) -> Iterator[Line]:
    """Yield the lines of one step."""
    verdict = outlook.verdict
    why = () if outlook.step.condition_text is None else _because(verdict)
    yield line(
        "      ",
        outlook_sign(verdict.outlook, screen.glyphs),
        f" {outlook.number} {one_line(outlook.name)}",
        *why,
    )
    yield from _trace(verdict, "          ", wanted=trace)


def _because(verdict: Verdict) -> tuple[Piece, ...]:
    return (
        Piece(f"  {_WORDS[verdict.outlook]}", _STYLES[verdict.outlook]),
        Piece(f": {one_line(verdict.reason)}", Style.FAINT),
    )


def _trace(verdict: Verdict, indent: str, *, wanted: bool) -> Iterator[Line]:
    # A false condition shows its values unasked: that is what people come for.
    if wanted or verdict.outlook is Outlook.SKIPPED:
        for each in verdict.trace:
            yield line(Piece(indent + each.rstrip(), Style.FAINT))


def _draw_combinations(job: PlannedJob) -> Iterator[Line]:
    if job.matrix is None:
        return
    if job.combinations is None:
        yield line(Piece("      matrix: known when its needs have ended", Style.FAINT))
        return
    names = [one_line(each.name) for each in job.combinations[:_MOST_COMBINATIONS]]
    more = len(job.combinations) - len(names)
    tail = f" and {more} more" if more else ""
    listed = ", ".join(names)
    yield line(Piece(f"      matrix: {count(len(job.combinations), 'job')}: {listed}{tail}", Style.FAINT))
