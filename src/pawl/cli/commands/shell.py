"""`pawl shell`: a shell in the container of a failed job."""

from __future__ import annotations

import asyncio

import click

from pawl.adapters.runs_folder import RunFolder, RunsFolder
from pawl.cli.examples import ExampleCommand
from pawl.cli.keeping import kept_sandboxes
from pawl.cli.project import current_project
from pawl.cli.stored_runs import draw_picture, parse_run_number, select_jobs
from pawl.cli.wiring import open_shell
from pawl.core.model.errors import UsageError

_HOW = "`pawl run --keep-on-failure` keeps that of a failed job"


@click.command(
    name="shell",
    cls=ExampleCommand,
    examples=(
        ("pawl run -j test --keep-on-failure", "keep the container if the job fails"),
        ("pawl shell test", "look around in it"),
        ("pawl shell test --run 12", "the one of an earlier run"),
    ),
)
@click.argument("job", required=False)
@click.option("--run", "run", metavar="RUN", help="The run's number; by default the latest that kept one.")
def command(job: str | None, run: str | None) -> int:
    """Open a shell in the container that a failed JOB left, in its workspace.

    The exit code is the shell's. The container stays until `pawl doctor --clean`.
    """
    runs = RunsFolder(current_project().root)
    folder = runs.open(parse_run_number(run)) if run else _latest_with_kept(runs)
    kept = kept_sandboxes(folder)
    if not kept:
        raise UsageError(
            f"run {folder.number} kept no container", hint="`pawl run --keep-on-failure` keeps it"
        )
    jobs = select_jobs(draw_picture(folder.events()), job)
    chosen = [job_id for job_id in jobs if job_id in kept]
    if not chosen:
        listed = ", ".join(f"`{each}`" for each in kept)
        raise UsageError(f"run {folder.number} kept no container of `{job}`", hint=f"it kept {listed}")
    if len(chosen) > 1:
        listed = ", ".join(f"`{each}`" for each in chosen)
        raise UsageError(f"several containers were kept: {listed}", hint="name one: pawl shell JOB")
    click.echo(f"Run {folder.number}, job {chosen[0]}. `exit` leaves the container as it is.", err=True)
    return asyncio.run(open_shell(kept[chosen[0]]))


def _latest_with_kept(runs: RunsFolder) -> RunFolder:
    folders = [runs.open(record.number) for record in runs.list()]
    found = next((folder for folder in folders if kept_sandboxes(folder)), None)
    if found is None:
        raise UsageError(
            "no run kept a container", hint="`pawl run --keep-on-failure` keeps that of a failed job"
        )
    return found
