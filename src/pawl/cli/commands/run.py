"""`pawl run`: run a workflow on the working tree."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.findings.text import draw_findings
from pawl.cli.local_event import EventWish
from pawl.cli.local_run import RunWish, run_locally
from pawl.cli.options import FILE, KEY_VALUE, complete_job, complete_workflow, event_options, read_wish
from pawl.cli.planned import PlannedFile, event_for, look_at_tree, plan_file, started
from pawl.cli.project import Project, current_project
from pawl.cli.secrets_input import gather_secrets
from pawl.cli.settings_file import load_settings
from pawl.cli.terminal.notices import NOTE, tell
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import look_at
from pawl.cli.workflow_files import WorkflowFile, find_workflow, read_all
from pawl.core.diagnostics import has_errors
from pawl.core.model.errors import UsageError
from pawl.core.model.plan import Plan


@click.command(
    name="run",
    cls=ExampleCommand,
    examples=(
        ("pawl run", "what a push of this branch starts"),
        ("pawl run ci -j test", "one job of one workflow, with what it needs"),
        ("pawl run --event pull_request", "as for a pull request"),
        ("pawl run deploy --input env=staging", "with an input of workflow_dispatch"),
        ("pawl run -j test --matrix os=linux", "some combinations of a matrix"),
        ("pawl run --secret TOKEN", "a secret from the environment, or asked for"),
        ("pawl run --keep-on-failure", "keep the failed container for `pawl shell`"),
        ("pawl run --json | jq -c .type", "the events, for a program"),
    ),
)
@click.argument("workflow", required=False, shell_complete=complete_workflow)
@click.option(
    "-j",
    "--job",
    "jobs_wanted",
    multiple=True,
    shell_complete=complete_job,
    metavar="JOB",
    help="Only this job, with all it needs. Repeatable.",
)
@event_options
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="NAME",
    help="A secret, from the environment or asked for. Repeatable.",
)
@click.option("--secret-file", type=FILE, help="Secrets from a file with a NAME=value a line.")
@click.option("--var", "variables", multiple=True, type=KEY_VALUE, help="A variable for `vars`. Repeatable.")
@click.option(
    "--executor",
    type=click.Choice(["auto", "docker", "host"]),
    help="What runs jobs; auto: containers where an engine answers.",
)
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="How many jobs run at once.")
@click.option(
    "--matrix", multiple=True, type=KEY_VALUE, help="Only combinations with this value. Repeatable."
)
@click.option("--keep-on-failure", is_flag=True, help="Keep the container of a failed job for `pawl shell`.")
@click.option("--bind", is_flag=True, help="Work in the working tree itself, not in a copy of it.")
@click.option(
    "--json", "as_json", is_flag=True, help="Write every event as a line of JSON, and nothing else."
)
@click.option("--no-live", is_flag=True, help="Plain lines, also on a terminal.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    workflow: str | None,
    jobs_wanted: tuple[str, ...],
    secrets: tuple[str, ...],
    secret_file: Path | None,
    variables: tuple[tuple[str, str], ...],
    **options: Any,
) -> int:
    """Run WORKFLOW, a path or a name, on a copy of the working tree as it is now.

    Without WORKFLOW: the one that the event starts. Steps run in containers where an engine can be reached,
    else on this machine. Logs are kept below .pawl/runs.
    """
    project = current_project()
    settings = load_settings(project)
    wish = read_wish(options)
    files = (find_workflow(project, workflow),) if workflow else read_all(project)
    values = {**settings.variables, **dict(variables)}
    plan = choose_plan(project, files, wish, values, colour=bool(ctx.color))
    run_wish = RunWish(
        only_jobs=frozenset(jobs_wanted),
        secrets=gather_secrets(secrets, secret_file),
        executor=options["executor"],
        jobs=options["jobs"],
        matrix=dict(options["matrix"]),
        keep_on_failure=options["keep_on_failure"],
        bind=options["bind"],
        as_json=options["as_json"],
        live=not options["no_live"],
        colour=bool(ctx.color),
    )
    return asyncio.run(run_locally(plan, project, settings, run_wish, _notice))


def choose_plan(
    project: Project,
    files: tuple[WorkflowFile, ...],
    wish: EventWish,
    variables: dict[str, str],
    *,
    colour: bool,
) -> Plan:
    """Return the plan of the one workflow to run.

    A single workflow runs even if the event would not start it (saying so); among several, the only one that
    the event starts.

    Raises:
        UsageError: its file has errors, or none or several are started.
    """
    tree = look_at_tree(project)
    single = len(files) == 1
    planned = [plan_file(each, event_for(each, wish, tree, own=single), variables) for each in files]
    _show_errors(planned, colour=colour)
    chosen = planned if single else started(planned)
    if len(chosen) != 1:
        raise _not_one(planned, chosen)
    plan = chosen[0].plan
    if plan is None:
        raise UsageError(f"`{chosen[0].checked.path}` cannot run", hint="mend what is shown above")
    if not chosen[0].starts:
        _notice(f"{plan.event.name} would not start this workflow: {plan.trigger.reason}")
    return plan


def _show_errors(planned: list[PlannedFile], *, colour: bool) -> None:
    screen = look_at(sys.stderr, colour=colour and sys.stderr.isatty())
    for each in planned:
        if has_errors(each.checked.diagnostics):
            click.echo(draw_findings(each.checked, screen), err=True)


def _not_one(planned: list[PlannedFile], chosen: list[PlannedFile]) -> UsageError:
    listed = ", ".join(f"`{one_line(each.file.checked.path)}`" for each in chosen or planned)
    event = next((each.plan.event.name for each in planned if each.plan), "the event")
    if chosen:
        return UsageError(f"{event} starts {len(chosen)} workflows: {listed}", hint="name one: pawl run NAME")
    return UsageError(
        f"{event} starts none of {listed}", hint="name one, or say which --event; `pawl plan` tells why"
    )


def _notice(text: str) -> None:
    tell(NOTE, one_line(text))
