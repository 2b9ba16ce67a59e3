"""`pawl environment`: what protects the environments that jobs deploy to."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from pawl.cli.examples import ExampleCommand, ExampleGroup
from pawl.cli.remote.answers import number, record, rows, text
from pawl.cli.remote.options import ask, read_asked, server_options
from pawl.cli.remote.showing import screen_of, write_json, write_lines
from pawl.cli.terminal.lines import Line, Piece, Style
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import Screen
from pawl.cli.terminal.table import Column, Row, draw_table
from pawl.core.model.approvals import BranchRule
from pawl.core.model.errors import UsageError
from pawl.core.model.plan import Json

_SET = (
    ("pawl environment set acme/site production --reviewer ann --reviewer bob", "one of them has to approve"),
    ("pawl environment set acme/site production --wait 10 --default-branch", "ten minutes, from main only"),
    ("pawl environment set acme/site production --no-reviewers", "nobody has to approve any more"),
)
_LIST = (("pawl environment list acme/site", "what protects what"),)
_REMOVE = (("pawl environment remove acme/site production", "it protects nothing any more"),)


@click.group(name="environment", cls=ExampleGroup, examples=(_SET[0], *_LIST, *_REMOVE))
def command() -> None:
    """Say who has to approve before jobs deploy to an environment, how long they wait, and from where."""


@command.command(name="set", cls=ExampleCommand, examples=_SET)
@click.argument("project")
@click.argument("name")
@click.option("--reviewer", "reviewers", multiple=True, metavar="TOKEN", help="May approve: a token's name.")
@click.option("--no-reviewers", is_flag=True, help="Nobody has to approve.")
@click.option(
    "--self-review/--no-self-review",
    "self_review",
    default=None,
    help="Whether who started a run may approve it.",
)
@click.option(
    "--wait", type=click.IntRange(0, 43_200), metavar="MINUTES", help="How long jobs wait at least."
)
@click.option("--branch", "branches", multiple=True, metavar="PATTERN", help="Only branches like these may.")
@click.option("--tag", "tags", multiple=True, metavar="PATTERN", help="Only tags like these may.")
@click.option("--default-branch", is_flag=True, help="Only the default branch may.")
@click.option("--any-branch", is_flag=True, help="Every branch and tag may.")
@server_options
def change(project: str, name: str, **options: Any) -> None:
    """Protect the environment NAME of PROJECT, as the options say; what they leave out stays as it is."""
    body = _body(options)
    if not body:
        raise UsageError("nothing is to be changed", hint="`pawl environment set --help` lists what can be")
    path = f"/api/environments/{quote(name, safe='')}"
    asked = read_asked(options)
    told = record(ask(asked, lambda client: client.put(path, {"project": project, **body})), "environment")
    click.echo(f"Environment {one_line(text(told, 'name'))} of {project}: {_shown(told)}.", err=True)


def _body(options: dict[str, Any]) -> dict[str, Json]:
    """Return what the options say, and take them out."""
    names = (
        "reviewers",
        "no_reviewers",
        "self_review",
        "wait",
        "branches",
        "tags",
        "default_branch",
        "any_branch",
    )
    given = {name: options.pop(name) for name in names}
    patterns = bool(given["branches"] or given["tags"])
    if sum((patterns, given["default_branch"], given["any_branch"])) > 1:
        raise UsageError(
            "only one of --branch and --tag, --default-branch and --any-branch can be",
            hint="leave the others out",
        )
    body: dict[str, Json] = {}
    if given["reviewers"] or given["no_reviewers"]:
        body["reviewers"] = [] if given["no_reviewers"] else [*given["reviewers"]]
    if given["self_review"] is not None:
        body["prevent_self_review"] = not given["self_review"]
    if given["wait"] is not None:
        body["wait_minutes"] = given["wait"]
    if patterns:
        body |= {
            "rule": BranchRule.PATTERNS.value,
            "branches": [*given["branches"]],
            "tags": [*given["tags"]],
        }
    elif given["default_branch"] or given["any_branch"]:
        body["rule"] = (BranchRule.DEFAULT if given["default_branch"] else BranchRule.ANY).value
    return body


@command.command(name="list", cls=ExampleCommand, examples=_LIST)
@click.argument("project")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array.")
@server_options
@click.pass_context
def show_all(ctx: click.Context, /, project: str, *, as_json: bool, **options: Any) -> None:
    """List the environments of PROJECT, and what protects each."""
    asked = read_asked(options)
    found = rows(
        ask(asked, lambda client: client.get("/api/environments", {"project": project})), "environments"
    )
    if as_json:
        write_json(found)
        return
    if not found:
        click.echo(f"No environment of {project} is protected: `pawl environment set` does that.", err=True)
        return
    screen = screen_of(ctx)
    write_lines(_table(found, screen), screen)


@command.command(name="remove", cls=ExampleCommand, examples=_REMOVE)
@click.argument("project")
@click.argument("name")
@server_options
def remove(project: str, name: str, **options: Any) -> None:
    """Remove the environment NAME of PROJECT: jobs that deploy to it wait for nothing."""
    path = f"/api/environments/{quote(name, safe='')}"
    ask(read_asked(options), lambda client: client.delete(path, {"project": project}))
    click.echo(f"Environment {name} of {project} protects nothing any more.", err=True)


def _table(environments: list[dict[str, Any]], screen: Screen) -> list[Line]:
    columns = (Column(title="ENVIRONMENT", most=48),)
    lines = [
        Row(
            cells=(Piece(one_line(text(each, "name")), Style.STRONG),),
            text=Piece(_shown(each), Style.FAINT),
        )
        for each in environments
    ]
    return draw_table(columns, lines, screen, text_title="PROTECTED BY")


def _shown(environment: dict[str, Any]) -> str:
    """Return in words what protects an environment."""
    reviewers = ", ".join(one_line(str(each)) for each in environment.get("reviewers") or ())
    parts = []
    if reviewers:
        own = ", and not who started the run" if environment.get("prevent_self_review") else ""
        parts.append(f"approval by {reviewers}{own}")
    if wait := number(environment, "wait_minutes"):
        parts.append(f"a wait of {wait:g} minutes")
    if environment.get("rule") == BranchRule.DEFAULT:
        parts.append("the default branch alone")
    elif environment.get("rule") == BranchRule.PATTERNS:
        named = [*(environment.get("branches") or ()), *(environment.get("tags") or ())]
        parts.append(f"branches and tags like {', '.join(one_line(str(each)) for each in named)}")
    return "; ".join(parts) or "nothing"
