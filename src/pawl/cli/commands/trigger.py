"""`pawl trigger`: start a workflow on a server, as it is in a commit."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from typing import Any

import click

from pawl.adapters.git.pack import pack
from pawl.adapters.git.tree import CommitFacts, Commits
from pawl.cli.examples import ExampleCommand
from pawl.cli.exits import ExitCode
from pawl.cli.findings.text import draw_findings
from pawl.cli.options import commit_event_options, complete_workflow, read_wish
from pawl.cli.project import Project, current_project
from pawl.cli.remote.answers import record, text
from pawl.cli.remote.options import Asked, read_asked, server_options
from pawl.cli.remote.showing import note, write_json
from pawl.cli.remote.triggering import CommittedWorkflow, Upload, event_of, find_committed, notice_changes
from pawl.cli.settings_file import load_settings
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import look_at
from pawl.core.diagnostics import has_errors
from pawl.core.model.errors import UsageError
from pawl.core.model.status import Status
from pawl.core.workflow.syntax import Workflow


@click.command(
    name="trigger",
    cls=ExampleCommand,
    examples=(
        ("pawl trigger ci", "the workflow ci of the commit checked out"),
        ("pawl trigger ci -f", "and show what it does until it ends"),
        ("pawl trigger ci --ref v1.2", "of a tag, a branch or a commit"),
        ("pawl trigger deploy --input env=staging", "with an input of workflow_dispatch"),
        ("pawl trigger ci --event push", "as if it had been pushed"),
        ("pawl trigger ci --priority 5", "before others that came a little earlier"),
    ),
)
@click.argument("workflow", shell_complete=complete_workflow)
@click.option("--ref", metavar="REF", help="A branch, tag or commit; by default what is checked out.")
@commit_event_options
@click.option("--priority", type=click.IntRange(-100, 100), default=0, help="A head start in the queue.")
@click.option(
    "-f", "--follow", is_flag=True, help="Show what it does until it ends; ends with its exit code."
)
@click.option("--json", "as_json", is_flag=True, help="Write the run, or with --follow its events, as JSON.")
@click.option("--no-live", is_flag=True, help="Plain lines, also on a terminal.")
@server_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    workflow: str,
    *,
    ref: str | None,
    priority: int,
    follow: bool,
    as_json: bool,
    no_live: bool,
    **options: Any,
) -> int:
    """Start WORKFLOW, a path or a name, on a server.

    The files are those of the commit, packed here and sent along: the server needs no access to the
    repository. What is not committed stays out.
    """
    project = current_project()
    asked = read_asked(options)
    wish = read_wish(options)
    commits = Commits(project.root)
    facts = asyncio.run(commits.find(ref))
    notice_changes(facts, ref, note)
    file = asyncio.run(find_committed(commits, facts, workflow))
    event = event_of(_valid(file, colour=bool(ctx.color)), wish, facts)
    upload = Upload(
        file=file,
        event=event,
        variables=load_settings(project).variables,
        priority=priority,
        request_id=secrets.token_hex(16),
    )
    run = _trigger(asked, upload, project, facts)
    return _tell(asked, run, follow=follow, as_json=as_json, colour=bool(ctx.color), live=not no_live)


def _valid(file: CommittedWorkflow, *, colour: bool) -> Workflow:
    screen = look_at(sys.stderr, colour=colour and sys.stderr.isatty())
    if has_errors(file.checked.diagnostics) or file.workflow is None:
        click.echo(draw_findings(file.checked, screen), err=True)
        raise UsageError(f"`{file.path}` cannot run", hint="mend what is shown above, and commit it")
    return file.workflow


def _trigger(asked: Asked, upload: Upload, project: Project, facts: CommitFacts) -> dict[str, Any]:
    from pawl.cli.remote.uploading import trigger_run  # noqa: PLC0415 - aiohttp takes 150 ms to import

    place = asked.place()

    def chunks() -> AsyncIterator[bytes]:
        return pack(project.root, facts.sha, ref=facts.ref, name=facts.state.repository)

    return record(asyncio.run(trigger_run(place, upload, chunks)), "run")


def _tell(asked: Asked, run: dict[str, Any], *, follow: bool, as_json: bool, colour: bool, live: bool) -> int:
    number = int(text(run, "id"))
    if text(run, "status") == Status.WAITING and not as_json:
        note(f"{one_line(text(run, 'reason'))}; `pawl approve {number}` or `pawl reject {number}` decides")
    if follow:
        from pawl.cli.remote.watching import follow_and_show  # noqa: PLC0415 - aiohttp takes 150 ms to import

        if not as_json:
            note(f"run {number} on {asked.place().url}")
        return follow_and_show(asked, number, colour=colour, as_json=as_json, live=live)
    if as_json:
        write_json(run)
        return ExitCode.SUCCESS
    click.echo(f"Run {number}: {text(run, 'run_name', 'name', 'path')}")
    click.echo(f"Follow it with `pawl logs {number} --server -f`.", err=True)
    return ExitCode.SUCCESS
