"""`pawl validate`: check workflow and action files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from pawl.cli.examples import ExampleCommand
from pawl.cli.exits import ExitCode
from pawl.cli.findings.checked import CheckedFile, count_severity
from pawl.cli.findings.machine import to_github, to_json, to_sarif
from pawl.cli.findings.text import draw_findings
from pawl.cli.project import Project, current_project, no_workflows, read_text
from pawl.cli.terminal.durations import count
from pawl.cli.terminal.screen import look_at
from pawl.cli.workflow_files import read_workflow
from pawl.core.diagnostics import Severity
from pawl.core.diagnostics.catalogue import CATALOGUE
from pawl.core.model.errors import UsageError
from pawl.core.workflow.action import parse_action
from pawl.core.workflow.parse import parse_workflow


@click.command(
    name="validate",
    cls=ExampleCommand,
    examples=(
        ("pawl validate", "check every workflow and action of this project"),
        ("pawl validate ci.yml action.yml", "check these files"),
        ("pawl validate --strict", "fail on warnings as well"),
        ("pawl validate --format github", "annotate a pull request"),
        ("cat ci.yml | pawl validate -", "check standard input"),
    ),
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    help="How to write what was found.",
)
@click.option("--strict", is_flag=True, help="Let warnings fail the check too.")
@click.pass_context
def command(ctx: click.Context, files: tuple[Path, ...], output: str, *, strict: bool) -> int:
    """Check workflow files, and action.yml files, and show what is wrong with them.

    Without FILES: every workflow in .github/workflows and .pawl/workflows, .ci.yml, .ci/*.yml, and the
    project's own actions. Exit code 1 when there are errors.
    """
    project = current_project()
    checked = [_check(project, path) for path in _list_files(project, files)]
    if output == "text":
        screen = look_at(sys.stdout, colour=bool(ctx.color))
        click.echo(
            "".join(draw_findings(each, screen) + "\n" for each in checked if each.diagnostics), nl=False
        )
        click.echo(_summary(checked), err=True)
    elif output == "github":
        click.echo(to_github(checked), nl=False)
    else:
        titles = {code: entry.title for code, entry in CATALOGUE.items()}
        result = to_json(checked) if output == "json" else to_sarif(checked, titles)
        click.echo(json.dumps(result, indent=2))
    errors = count_severity(checked, Severity.ERROR)
    warnings = count_severity(checked, Severity.WARNING)
    return ExitCode.FAILED if errors or (strict and warnings) else ExitCode.SUCCESS


def _list_files(project: Project, files: tuple[Path, ...]) -> Iterator[Path]:
    if not files:
        found = (*project.workflow_files(), *project.action_files())
        if not found:
            raise no_workflows(project)
        yield from found
    for path in files:
        if path.is_dir():
            inside = Project(path)
            below = (*inside.workflow_files(), *inside.action_files())
            direct = sorted(each for each in path.iterdir() if each.suffix in {".yml", ".yaml"})
            if not (below or direct):
                raise UsageError(f"no workflow found in the folder `{path}`")
            yield from below or direct
        else:
            yield path


def _check(project: Project, path: Path) -> CheckedFile:
    if str(path) == "-":
        content = sys.stdin.buffer.read()
        text = content.decode("utf-8-sig", "replace")
        return CheckedFile(path="-", text=text, diagnostics=parse_workflow(content, "-").diagnostics)
    if path.name in {"action.yml", "action.yaml"}:
        content = read_text(path)
        text = content.decode("utf-8-sig", "replace")
        parsed = parse_action(content, project.shown(path))
        return CheckedFile(path=project.shown(path), text=text, diagnostics=parsed.diagnostics)
    return read_workflow(project, path).checked


def _summary(files: list[CheckedFile]) -> str:
    errors, warnings = (count_severity(files, severity) for severity in (Severity.ERROR, Severity.WARNING))
    found = [count(errors, "error")] * bool(errors) + [count(warnings, "warning")] * bool(warnings)
    return f"{count(len(files), 'file')} checked: {', '.join(found) or 'no problems'}"
