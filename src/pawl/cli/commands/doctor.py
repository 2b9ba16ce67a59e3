"""`pawl doctor`: is this machine fit to run workflows, and what did killed runs leave behind."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from pawl.adapters.runs_folder import RunsFolder, RunState
from pawl.cli.checkup import (
    Check,
    Mark,
    check_disk,
    check_folders,
    check_git,
    check_python,
    check_settings,
    check_workflows,
)
from pawl.cli.examples import ExampleCommand
from pawl.cli.exits import ExitCode
from pawl.cli.keeping import (
    forget_kept,
    has_known_owner,
    is_alive,
    is_process_alive,
    kept_sandboxes,
    sweep_folders,
)
from pawl.cli.project import Project, current_project
from pawl.cli.remote.place import default_data
from pawl.cli.server_checkup import check_installation
from pawl.cli.settings import Settings
from pawl.cli.terminal.durations import show_size
from pawl.cli.terminal.lines import Line, Piece, Style, line
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import Screen, look_at
from pawl.cli.terminal.wrapping import draw_lines
from pawl.cli.wiring import docker_executor, find_image, host_executor
from pawl.core.model.errors import PawlError
from pawl.ports.executor import Executor

_STYLES = {Mark.OK: Style.GOOD, Mark.WARN: Style.WARN, Mark.FAIL: Style.BAD}


@click.command(
    name="doctor",
    cls=ExampleCommand,
    examples=(
        ("pawl doctor", "check this machine and project"),
        ("pawl doctor --clean", "also remove what killed runs left"),
        ("pawl doctor --data /srv/pawl", "and the server with that data folder"),
        ("pawl doctor --json", "the checks, for a program"),
    ),
)
@click.option(
    "--clean",
    is_flag=True,
    help="Remove containers, processes and folders without an owner, kept ones too.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="A server's data folder to check; by default this machine's, where there is one.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the checks as JSON.")
@click.pass_context
def command(ctx: click.Context, *, clean: bool, data: Path | None, as_json: bool) -> int:
    """Check what running workflows needs here: git, a container engine, the image of ubuntu-latest, disk.

    Where a server has its data on this machine, that is checked too: rights, database, whether it answers.

    Each line is ok, warn or fail, with what to do. Exit code 1 when one fails.
    """
    project = current_project()
    settings_check, settings = check_settings(project)
    checks = [check_python(), check_git(), settings_check, check_workflows(project), check_disk(project)]
    checks += asyncio.run(_check_world(project, settings, clean=clean))
    checks += check_installation(data or default_data())
    if as_json:
        told = [{"name": c.name, "mark": c.mark, "found": c.found, "mend": c.mend} for c in checks]
        click.echo(json.dumps(told, indent=2))
    else:
        _draw(checks, look_at(sys.stdout, colour=bool(ctx.color)))
    return ExitCode.FAILED if any(check.mark is Mark.FAIL for check in checks) else ExitCode.SUCCESS


async def _check_world(project: Project, settings: Settings, *, clean: bool) -> list[Check]:
    """Return the checks of engine, image and orphans; with `clean` orphans are removed."""
    if clean:
        _give_up_kept(project)
    wanted = is_process_alive if clean else is_alive
    docker = docker_executor()
    try:
        found = await docker.probe()
    except PawlError as error:
        mark = Mark.FAIL if settings.executor == "docker" else Mark.WARN
        mend = error.hint or "start a container engine, or use --executor host"
        checks = [Check(name="engine", mark=mark, found=error.message, mend=mend)]
    else:
        checks = [Check(name="engine", mark=Mark.OK, found=found), await _check_image(docker, settings)]
        checks.append(await _check_orphans(docker, "containers", wanted, clean=clean))
        checks += await _check_strangers(docker, "containers")
    finally:
        await docker.aclose()
    checks.append(await _check_orphans(host_executor(), "processes", wanted, clean=clean))
    checks += await _check_strangers(host_executor(), "processes")
    checks.append(check_folders(sweep_folders(wanted, dry_run=not clean), clean=clean))
    return checks


async def _check_image(docker: Executor, settings: Settings) -> Check:
    name = settings.labels["ubuntu-latest"]
    facts = await find_image(docker, name)
    if facts is not None:
        return Check(name="image", mark=Mark.OK, found=f"ubuntu-latest is {name} ({show_size(facts.size)})")
    return Check(
        name="image",
        mark=Mark.WARN,
        found=f"ubuntu-latest is {name}, which is not here yet",
        mend="the first run pulls it; without a registry set labels.ubuntu-latest in pawl.toml",
    )


async def _check_orphans(
    executor: Executor, what: str, wanted: Callable[[str], bool], *, clean: bool
) -> Check:
    try:
        left = await executor.sweep(wanted, dry_run=not clean)
    except PawlError as error:
        return Check(name=what, mark=Mark.WARN, found=error.message, mend=error.hint or "")
    listed = _first_of(left)
    if not left:
        return Check(name=what, mark=Mark.OK, found="none left behind")
    if clean:
        return Check(name=what, mark=Mark.OK, found=f"removed {len(left)}: {listed}")
    found = f"{len(left)} left behind: {listed}"
    return Check(name=what, mark=Mark.WARN, found=found, mend="`pawl doctor --clean` removes them")


async def _check_strangers(executor: Executor, what: str) -> list[Check]:
    """Return a warning of what carries our label and an owner of a kind we do not know: nobody sweeps it."""
    try:
        spared = await executor.sweep(has_known_owner, dry_run=True)
    except PawlError:
        return []  # told already, when the orphans were looked for
    if not spared:
        return []
    found = f"{len(spared)} of an owner that is not known, left alone: {_first_of(spared)}"
    mend = "look at them, and remove them by hand where they are nobody's"
    return [Check(name=what, mark=Mark.WARN, found=found, mend=mend)]


def _first_of(lines: tuple[str, ...]) -> str:
    return "; ".join(lines[:5]) + ("; ..." if len(lines) > 5 else "")


def _give_up_kept(project: Project) -> None:
    runs = RunsFolder(project.root)
    for record in runs.list():
        folder = runs.open(record.number)
        if record.state is not RunState.RUNNING and kept_sandboxes(folder):
            forget_kept(folder)


def _draw(checks: list[Check], screen: Screen) -> None:
    for text in draw_lines((drawn for check in checks for drawn in _lines(check)), screen):
        click.echo(text)


def _lines(check: Check) -> Iterator[Line]:
    yield line(
        Piece(f"{check.mark:<5}", _STYLES[check.mark]),
        Piece(f"{check.name:<11}", Style.STRONG),
        one_line(check.found),
    )
    if check.mend and check.mark is not Mark.OK:
        yield line(" " * 16, Piece(one_line(check.mend), Style.NOTE))
