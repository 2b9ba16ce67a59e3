"""`pawl logs`: the log of a run, of one in progress too; of this project's runs or of a server's."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import replace
from typing import Any

import click

from pawl.adapters.runs_folder import RunFolder, RunsFolder, RunState
from pawl.cli.examples import ExampleCommand
from pawl.cli.exits import ExitCode
from pawl.cli.log_printer import LogPrinter, LogWish
from pawl.cli.project import current_project
from pawl.cli.remote.choosing import ask_server
from pawl.cli.remote.options import optional_server_options, read_asked
from pawl.cli.stored_runs import (
    StepPlace,
    StepWish,
    choose_steps,
    failed_without_a_step,
    look_back,
    parse_run_number,
)
from pawl.cli.terminal.notices import NOTE, tell
from pawl.cli.terminal.screen import look_at
from pawl.cli.view.picture import Phase
from pawl.core.model.errors import UsageError

_POLL_SECONDS = 0.1


@click.command(
    name="logs",
    cls=ExampleCommand,
    examples=(
        ("pawl logs", "the whole log of the latest run"),
        ("pawl logs 12 --failed", "the steps of run 12 that failed"),
        ("pawl logs -j test --step pytest", "one step of one job"),
        ("pawl logs 12 -j test --attempt 1", "what its first attempt said, before others"),
        ("pawl logs -f", "follow a run in progress"),
        ("pawl logs 12 --server -f", "the same of the server's run 12; ends with its exit code"),
        ("pawl logs 12 --grep 'error|warn'", "the lines that match"),
        ("pawl logs 12 --json", "one JSON object a line"),
    ),
)
@click.argument("run", required=False)
@click.option("-j", "--job", metavar="JOB", help="Only this job: its id, key or name.")
@click.option("--step", metavar="STEP", help="Only this step: its name, a part of it, its id or its number.")
@click.option(
    "--attempt",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only attempts of this number; by default each job's last.",
)
@click.option("--failed", is_flag=True, help="Only steps that failed.")
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines of each step.")
@click.option("--timestamps", is_flag=True, help="Begin each line with its time, in UTC.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@click.option("--grep", metavar="REGEX", help="Only lines that match this regular expression.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@optional_server_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    run: str | None,
    *,
    follow: bool,
    **options: Any,
) -> int:
    """Show the log of RUN, a run's number; of the latest run without it.

    Without a server's address anywhere, RUN is one of this project's; when there is none of that number, this
    machine's server is asked.
    """
    asked = read_asked(options)
    steps = StepWish(**{name: options[name] for name in ("job", "step", "failed", "attempt")})
    if follow and steps.attempt is not None:
        raise UsageError("--attempt and --follow exclude each other", hint="a former attempt has ended")
    wish = LogWish(
        timestamps=options["timestamps"],
        as_json=options["as_json"],
        tail=options["tail"],
        pattern=_compile(options["grep"]),
    )
    screen = look_at(sys.stdout, colour=bool(ctx.color))
    local = RunsFolder(current_project().root)
    if ask_server(asked, run, [record.number for record in local.list()]):
        from pawl.cli.remote.logs import RemoteLogs  # noqa: PLC0415 - aiohttp takes 150 ms to import

        remote = RemoteLogs(asked.place(), screen, wish, steps)
        return remote.show(run, follow=follow, tell_which=not asked.is_configured)
    _show_local(local.open(parse_run_number(run)), _Choice(steps), wish, follow=follow)
    return ExitCode.SUCCESS


class _Choice:
    """Which steps to show; asked again and again while a run is followed."""

    def __init__(self, steps: StepWish) -> None:
        self._steps = steps
        self.failed = steps.failed

    def select(self, folder: RunFolder) -> list[StepPlace]:
        """Return the steps there are now, in order.

        Raises:
            UsageError: the job, step or attempt does not exist.
        """
        return choose_steps(look_back(folder.events(), self._steps), self._steps)

    def untold(self, folder: RunFolder) -> list[str]:
        """Return why jobs failed of which no step says it."""
        return failed_without_a_step(look_back(folder.events(), self._steps), self._steps)

    def try_select(self, folder: RunFolder) -> list[StepPlace]:
        """Return the same; nothing while what was asked for has not begun."""
        try:
            return self.select(folder)
        except UsageError:
            return []


def _show_local(folder: RunFolder, choice: _Choice, wish: LogWish, *, follow: bool) -> None:
    places = choice.select(folder)
    several = len({place.job_id for place in places}) > 1
    wish = replace(wish, with_job=follow or several, with_heads=not follow and len(places) > 1)
    context = click.get_current_context()
    screen = look_at(sys.stdout, colour=bool(context.color))
    printer = LogPrinter(folder.logs, screen, wish)
    if follow:
        _follow(folder, choice, printer)
        return
    is_over = folder.record.state is not RunState.RUNNING
    for place in places:
        _print(printer, place, is_over=is_over)
    untold = choice.untold(folder)
    for reason in untold:
        tell(NOTE, reason)
    if choice.failed and not places and not untold:
        click.echo(f"Nothing failed in run {folder.number}.", err=True)


def _follow(folder: RunFolder, choice: _Choice, printer: LogPrinter) -> None:
    while True:
        # The state first: what was written before the end is then printed for certain.
        is_over = folder.record.state is not RunState.RUNNING
        places = choice.select(folder) if is_over else choice.try_select(folder)
        for place in places:
            _print(printer, place, is_over=is_over)
        if is_over:
            return
        time.sleep(_POLL_SECONDS)


def _print(printer: LogPrinter, place: StepPlace, *, is_over: bool) -> None:
    ended = is_over or place.step.phase is Phase.ENDED
    written = False
    for text in printer.new_lines(place, is_over=ended):
        sys.stdout.write(text + "\n")
        written = True
    if written:
        sys.stdout.flush()


def _compile(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(f"`{pattern}` is no regular expression: {error}") from error
