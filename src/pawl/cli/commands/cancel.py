"""`pawl cancel`: stop a run of a server, or one job of it."""

from __future__ import annotations

from typing import Any

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.remote.options import ask, read_asked, server_options
from pawl.cli.remote.showing import read_run_id, write_json
from pawl.core.model.plan import Json


@click.command(
    name="cancel",
    cls=ExampleCommand,
    examples=(
        ("pawl cancel 12", "stop run 12; its `always()` steps still run"),
        ("pawl cancel 12 -j test", "only one job of it"),
        ("pawl cancel 12 --now", "without its last steps"),
    ),
)
@click.argument("run")
@click.option("-j", "--job", metavar="JOB", help="Only this job: its id.")
@click.option("--now", is_flag=True, help="At once: no `always()` steps, no time to end.")
@click.option("--reason", metavar="TEXT", help="Why, as it is shown with the run.")
@click.option("--json", "as_json", is_flag=True, help="Write the run as JSON.")
@server_options
def command(
    run: str, *, job: str | None, now: bool, reason: str | None, as_json: bool, **options: Any
) -> None:
    """Ask a server to stop RUN. It takes as long as the steps need to end; `pawl logs RUN -f` shows it."""
    asked, number = read_asked(options), read_run_id(run)
    body: dict[str, Json] = {"at_once": now}
    if job:
        body["job"] = job
    if reason:
        body["reason"] = reason
    path = f"/api/runs/{number}/cancel"
    told = ask(asked, lambda client: client.post(path, body, repeatable=True))
    if as_json:
        write_json(told)
    else:
        what = f"job {job} of run {number}" if job else f"run {number}"
        click.echo(f"Cancelling {what}.", err=True)
