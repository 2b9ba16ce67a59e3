"""`pawl why`: why a workflow, job or step ran, was skipped or failed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from pawl.adapters.runs_folder import RunsFolder
from pawl.cli.examples import ExampleCommand
from pawl.cli.options import event_options, read_wish
from pawl.cli.plan_text import draw_plan
from pawl.cli.planned import event_for, look_at_tree, plan_file
from pawl.cli.project import Project, current_project
from pawl.cli.settings_file import load_settings
from pawl.cli.stored_runs import (
    StepPlace,
    draw_picture,
    list_steps,
    parse_run_number,
    select_jobs,
    select_steps,
)
from pawl.cli.terminal.durations import show_duration
from pawl.cli.terminal.lines import Line, Piece, Style, line
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import Screen, look_at
from pawl.cli.terminal.wrapping import draw_lines
from pawl.cli.view.picture import JobPicture, Phase
from pawl.cli.view.tree import sign_of
from pawl.cli.workflow_files import read_all
from pawl.core.model.errors import UsageError
from pawl.core.model.status import Conclusion


@click.command(
    name="why",
    cls=ExampleCommand,
    examples=(
        ("pawl why", "every job and step of the latest run"),
        ("pawl why 12 test", "one job of run 12"),
        ("pawl why 12 test/pytest", "one of its steps"),
        ("pawl why --event pull_request", "no run: what would happen, with all values"),
    ),
)
@click.argument("run", required=False)
@click.argument("place", required=False, metavar="[JOB[/STEP]]")
@event_options
@click.pass_context
def command(ctx: click.Context, /, run: str | None, place: str | None, **event_choice: Any) -> None:
    """Say why each job and step of RUN ran, was skipped or failed: conditions with the value of each part.

    RUN is a number, or `latest`; a name is taken as JOB of the latest run. With --event, or where no run is
    kept, it says what would happen.
    """
    project = current_project()
    screen = look_at(sys.stdout, colour=bool(ctx.color))
    wants_plan = any(event_choice.values())
    if wants_plan and run is not None:
        raise UsageError("a run happened for one event already", hint="leave out the run, or the options")
    if run is not None and place is None and not run.removeprefix("#").isdecimal() and run != "latest":
        run, place = None, run
    runs = RunsFolder(project.root)
    if wants_plan or (run is None and not runs.list()):
        lines = _explain_plans(project, event_choice, screen)
    else:
        picture = draw_picture(runs.open(parse_run_number(run)).events())
        job, _, step = (place or "").partition("/")
        jobs = select_jobs(picture, place if _is_job(picture.jobs, place) else job or None)
        lines = _explain_jobs(jobs, step if not _is_job(picture.jobs, place) else "", screen)
    for text in draw_lines(lines, screen):
        click.echo(text)


def _is_job(jobs: dict[str, JobPicture], place: str | None) -> bool:
    """Return whether all of `place` is one job's name: those of a matrix may hold a slash."""
    return any(place in {job_id, job.name, job.key} for job_id, job in jobs.items())


def _explain_plans(project: Project, event_choice: dict[str, Any], screen: Screen) -> Iterator[Line]:
    wish = read_wish(event_choice)
    variables = load_settings(project).variables
    tree = look_at_tree(project)
    for file in read_all(project):
        planned = plan_file(file, event_for(file, wish, tree, own=False), variables)
        if planned.plan is None:
            raise UsageError(f"`{file.checked.path}` has errors", hint="`pawl validate` shows them")
        yield from draw_plan(planned.plan, screen, trace=True)
        yield ()


def _explain_jobs(jobs: dict[str, JobPicture], step: str, screen: Screen) -> Iterator[Line]:
    if step:
        for place in select_steps(list_steps(jobs), step):
            yield line(Piece(place.job.name, Style.STRONG))
            yield from _explain_step(place, screen)
        return
    for job_id, job in jobs.items():
        yield from _explain_job(job, screen)
        for place in list_steps({job_id: job}):
            yield from _explain_step(place, screen)
        yield ()


def _explain_job(job: JobPicture, screen: Screen) -> Iterator[Line]:
    sign = sign_of(job.conclusion, job.phase, screen.glyphs)
    word = job.conclusion or job.phase
    reason = f": {one_line(job.reason)}" if job.reason else ""
    again = f", attempt {job.attempt}" if job.attempt > 1 else ""
    yield line(sign, " ", Piece(job.name, Style.STRONG), f"  {word}{again}{reason}")
    yield from _draw_trace(job.trace, "    ")


def _explain_step(place: StepPlace, screen: Screen) -> Iterator[Line]:
    step = place.step
    took = f" in {show_duration(step.duration)}" if step.phase is Phase.ENDED and step.duration else ""
    reason = f": {one_line(step.reason)}" if step.reason else ""
    forgiven = step.outcome is not None and step.outcome is not step.conclusion
    also = f" (it ended in {step.outcome}, and continue-on-error forgives that)" if forgiven else ""
    sign = sign_of(step.conclusion, step.phase, screen.glyphs)
    style = Style.FAINT if step.conclusion is Conclusion.SKIPPED else Style.PLAIN
    yield line(
        "    ",
        sign,
        Piece(f" {place.index} {step.name}", style),
        Piece(f"  {step.conclusion or step.phase}{took}{reason}{also}", Style.FAINT),
    )
    yield from _draw_trace(step.trace, "        ")


def _draw_trace(trace: tuple[str, ...], indent: str) -> Iterator[Line]:
    # `success()  =>  true` alone, the condition of every step without one, explains nothing.
    if trace == ("success()  =>  true",):
        return
    for each in trace:
        yield line(Piece(indent + each.rstrip(), Style.FAINT))
