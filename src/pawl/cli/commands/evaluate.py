"""`pawl eval`: evaluate an expression as a workflow would."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click

from pawl.cli.evaluation import evaluate_text, read_contexts
from pawl.cli.examples import ExampleCommand
from pawl.cli.exits import ExitCode
from pawl.cli.findings.checked import CheckedFile
from pawl.cli.findings.text import draw_findings
from pawl.cli.local_event import build_event
from pawl.cli.options import FILE, KEY_VALUE, event_options, read_wish
from pawl.cli.project import current_project
from pawl.cli.settings_file import load_settings
from pawl.cli.terminal.sanitise import sanitise
from pawl.cli.terminal.screen import look_at
from pawl.cli.wiring import open_source
from pawl.core.expressions import to_plain, to_text


@click.command(
    name="eval",
    cls=ExampleCommand,
    examples=(
        ("pawl eval \"contains('a,b', 'a')\"", "true"),
        ('pawl eval "github.ref_name" --branch main', "main"),
        ("pawl eval 'build-${{ github.run_number }}'", "a text with expressions in it"),
        ('pawl eval "matrix.os" --context c.json', 'with contexts from {"matrix": {"os": "linux"}}'),
        ("pawl eval \"github.ref == 'x' || always()\" --trace", "every part with its value"),
    ),
)
@click.argument("expression")
@click.option(
    "--context", type=FILE, help="A JSON file with contexts by name; they go before the made-up ones."
)
@click.option("--var", "variables", multiple=True, type=KEY_VALUE, help="A variable for `vars`. Repeatable.")
@event_options
@click.option("--trace", is_flag=True, help="Show the value of every sub-expression.")
@click.option("--json", "as_json", is_flag=True, help="Write value, text and trace as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    expression: str,
    *,
    context: Path | None,
    variables: tuple[tuple[str, str], ...],
    trace: bool,
    as_json: bool,
    **event_choice: Any,
) -> int:
    """Evaluate EXPRESSION, with or without its dollar sign and braces, and print the value.

    `github`, `inputs` and `vars` are what a run of this working tree would see; `--context` gives others.
    `success()` and `always()` are true, `failure()` and `cancelled()` false.
    """
    project = current_project()
    wish = read_wish(event_choice)
    state = asyncio.run(open_source(project).state())
    event = build_event(wish.name or "push", wish, state, wish.changed or None)
    values = {**load_settings(project).variables, **dict(variables)}
    contexts = read_contexts(context, event, values)
    found, faults = evaluate_text(expression, contexts)
    if found is None:
        screen = look_at(sys.stderr, colour=bool(ctx.color))
        checked = CheckedFile(path="expression", text=expression, diagnostics=faults)
        click.echo(draw_findings(checked, screen), err=True, nl=False)
        return ExitCode.USAGE
    if as_json:
        result = {"value": to_plain(found.value), "text": to_text(found.value), "trace": found.traces}
        click.echo(json.dumps(result, indent=2))
        return ExitCode.SUCCESS
    plain = to_plain(found.value)
    shown = json.dumps(plain, indent=2) if isinstance(plain, dict | list) else to_text(found.value)
    click.echo(sanitise(shown, colour=False) if sys.stdout.isatty() else shown)
    if trace:
        for one in found.lines:
            click.echo(sanitise(f"  {one}", colour=False))
    return ExitCode.SUCCESS
