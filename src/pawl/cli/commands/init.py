"""`pawl init`: a starter workflow for the project it finds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.project import Project, current_project
from pawl.cli.starters import choose_starter, draw_workflow
from pawl.cli.wiring import open_source
from pawl.core.model.errors import UsageError

_PLACE = Path(".github/workflows/ci.yml")


@click.command(
    name="init",
    cls=ExampleCommand,
    examples=(
        ("pawl init", "write the file"),
        ("pawl init --print", "only show it"),
    ),
)
@click.option("--print", "only_print", is_flag=True, help="Write the workflow to standard output instead.")
def command(*, only_print: bool) -> None:
    """Write a starter workflow, .github/workflows/ci.yml, for the project in this folder.

    It looks for Python, Node.js, Go, Rust and make. A file that exists is never touched.
    """
    project = current_project()
    starter = choose_starter(project.root)
    state = asyncio.run(open_source(project).state())
    text = draw_workflow(starter, branch=state.default_branch)
    if only_print:
        click.echo(text, nl=False)
        return
    path = _write(project, text)
    click.echo(f"Wrote {path} ({starter.found}).", err=True)
    click.echo("Next: pawl validate, then pawl run", err=True)


def _write(project: Project, text: str) -> str:
    path = project.root / _PLACE
    shown = project.shown(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"there is a {shown} already", hint="`pawl init --print` shows what would be written"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot write {shown}: {error.strerror}") from error
    return shown
