"""`pawl plan`: what an event would run, and why."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.exits import ExitCode
from pawl.cli.findings.text import draw_findings
from pawl.cli.options import KEY_VALUE, complete_workflow, event_options, read_wish
from pawl.cli.outlooks import step_outlooks
from pawl.cli.plan_text import draw_plan
from pawl.cli.planned import PlannedFile, event_for, look_at_tree, plan_file, started
from pawl.cli.project import current_project
from pawl.cli.settings_file import load_settings
from pawl.cli.terminal.durations import count
from pawl.cli.terminal.screen import Screen, look_at
from pawl.cli.terminal.wrapping import draw_lines
from pawl.cli.workflow_files import find_workflow, read_all
from pawl.core.diagnostics import has_errors
from pawl.core.model.plan import Plan
from pawl.core.planning.dot import plan_to_dot
from pawl.core.planning.storage import plan_to_json


@click.command(
    name="plan",
    cls=ExampleCommand,
    examples=(
        ("pawl plan", "what a push of this branch would run"),
        ("pawl plan --event pull_request --base main", "the same for a pull request"),
        ("pawl plan --changed docs/a.md", "with this file changed, for path filters"),
        ("pawl plan release --tag v1.2", "one workflow, for a tag"),
        ("pawl plan ci --dot | dot -Tsvg > ci.svg", "a drawing of the jobs"),
    ),
)
@click.argument("workflows", nargs=-1, shell_complete=complete_workflow)
@event_options
@click.option("--var", "variables", multiple=True, type=KEY_VALUE, help="A variable for `vars`. Repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Write the plans as a JSON array.")
@click.option("--dot", "as_dot", is_flag=True, help="Write the jobs as a graph for Graphviz.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    workflows: tuple[str, ...],
    variables: tuple[tuple[str, str], ...],
    *,
    as_json: bool,
    as_dot: bool,
    **event_choice: Any,
) -> int:
    """Show what an event would run in this project, and why; nothing is run.

    WORKFLOWS are paths or names; all of the project's without any. The event is a push of the branch that
    is checked out, unless an option says otherwise.
    """
    project = current_project()
    wish = read_wish(event_choice)
    settings = load_settings(project)
    files = [find_workflow(project, wanted) for wanted in workflows] or list(read_all(project))
    tree = look_at_tree(project)
    values = {**settings.variables, **dict(variables)}
    planned = [plan_file(each, event_for(each, wish, tree, own=bool(workflows)), values) for each in files]
    _report_findings(planned, colour=bool(ctx.color))
    plans = [each.plan for each in planned if each.plan is not None]
    if as_json:
        click.echo(json.dumps([_plain(plan) for plan in plans], indent=2))
    elif as_dot:
        click.echo("\n".join(plan_to_dot(plan) for plan in plans))
    else:
        _draw(plans, look_at(sys.stdout, colour=bool(ctx.color)), all_in_full=bool(workflows))
        _say_totals(planned)
    return ExitCode.USAGE if len(plans) < len(planned) else ExitCode.SUCCESS


def _report_findings(planned: list[PlannedFile], *, colour: bool) -> None:
    screen = look_at(sys.stderr, colour=colour and sys.stderr.isatty())
    for each in planned:
        # Warnings are `pawl validate`'s business; what keeps a file from being planned is said here.
        if has_errors(each.checked.diagnostics):
            click.echo(draw_findings(each.checked, screen), err=True)


def _draw(plans: list[Plan], screen: Screen, *, all_in_full: bool) -> None:
    for number, plan in enumerate(plans):
        if number:
            click.echo()
        for text in draw_lines(draw_plan(plan, screen, verbose=all_in_full), screen):
            click.echo(text)


def _say_totals(planned: list[PlannedFile]) -> None:
    event = next((each.plan.event for each in planned if each.plan), None)
    what = f"{event.name} ({event.ref})" if event else "the event"
    click.echo(f"\n{what} starts {len(started(planned))} of {count(len(planned), 'workflow')}.", err=True)


def _plain(plan: Plan) -> dict[str, Any]:
    data: Any = plan_to_json(plan)["plan"]
    for job, described in zip(plan.jobs, data["jobs"], strict=True):
        # Beside the plan itself: what its steps would do, as the text shows it.
        described["step_outlooks"] = [
            {
                "number": each.number,
                "name": each.name,
                "outlook": each.verdict.outlook,
                "reason": each.verdict.reason,
                "trace": list(each.verdict.trace),
            }
            for each in step_outlooks(plan, job)
        ]
    return {"version": 1, **data}
