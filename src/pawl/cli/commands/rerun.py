"""`pawl rerun`: run a finished run of a server again, or a part of it."""

from __future__ import annotations

import sys
from typing import Any

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.exits import ExitCode
from pawl.cli.remote.answers import record, text
from pawl.cli.remote.options import ask, read_asked, server_options
from pawl.cli.remote.showing import read_run_id, write_json
from pawl.core.model.errors import UsageError


@click.command(
    name="rerun",
    cls=ExampleCommand,
    examples=(
        ("pawl rerun 12", "all jobs of run 12 again"),
        ("pawl rerun 12 --failed", "those that failed, and what needs them"),
        ("pawl rerun 12 -j test -f", "one job, what needs it, and follow it"),
    ),
)
@click.argument("run")
@click.option("--failed", is_flag=True, help="Only the jobs that failed, and those that need them.")
@click.option("-j", "--job", metavar="JOB", help="Only this job, its key, and those that need it.")
@click.option("-f", "--follow", is_flag=True, help="Show what it does until it ends.")
@click.option("--json", "as_json", is_flag=True, help="Write the run, or with --follow its events, as JSON.")
@server_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    run: str,
    *,
    failed: bool,
    job: str | None,
    follow: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Run RUN again on its server: new attempts of its jobs, with the same commit. Old ones stay readable."""
    if failed and job:
        raise UsageError("--failed and --job name different jobs", hint="leave one of them out")
    asked, number = read_asked(options), read_run_id(run)
    jobs = "failed" if failed else job or "all"
    path = f"/api/runs/{number}/rerun"
    told = ask(asked, lambda client: client.post(path, {"jobs": jobs}))
    if follow:
        from pawl.cli.remote.watching import follow_and_show  # noqa: PLC0415 - aiohttp takes 150 ms to import

        before = text(record(told, "run"), "told_before")
        return follow_and_show(asked, number, colour=bool(ctx.color), as_json=as_json, after=before)
    if as_json:
        write_json(told)
    else:
        attempt = text(record(told, "run"), "attempt")
        click.echo(f"Run {number} runs again{f', attempt {attempt}' if attempt else ''}.")
        click.echo(f"Follow it with `pawl logs {number} --server -f`.", err=True)
        sys.stdout.flush()
    return ExitCode.SUCCESS
