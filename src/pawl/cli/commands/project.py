"""`pawl project`: the repositories that a server works for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import click

from pawl.cli.examples import ExampleCommand, ExampleGroup
from pawl.cli.remote.answers import record, rows, text
from pawl.cli.remote.intake_tables import draw_project, draw_projects
from pawl.cli.remote.options import ask, read_asked, server_options
from pawl.cli.remote.showing import screen_of, write_json, write_lines
from pawl.core.model.errors import UsageError
from pawl.core.model.forge import ForgeKind
from pawl.core.model.plan import Json
from pawl.core.model.projects import ForkPolicy

_Function = TypeVar("_Function", bound=Callable[..., Any])
_READABLE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
_LONGEST = 20_000

_ADD = (
    ("pawl project add acme/site --forge github --url https://github.com/acme/site.git", "a public one"),
    (
        "pawl project add acme/site --forge gitea --url URL --git-token FILE",
        "with a token for it",
    ),
)
_SET = (("pawl project set acme/site --poll 60", "look for lost webhooks every minute"),)
_LIST = (("pawl project list", "which there are"),)
_SHOW = (("pawl project show acme/site", "all about one, but for its secrets"),)
_REMOVE = (("pawl project remove acme/site", "nothing is started for it any more"),)


@click.group(name="project", cls=ExampleGroup, examples=(_ADD[0], *_SET, *_LIST, *_REMOVE))
def command() -> None:
    """Add, change, list and remove the repositories that a server works for."""


def _fields(function: _Function) -> _Function:
    """Give a command the options that say what a project is; it gets them as keywords for `_body`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


_OPTIONS = (
    click.option("--forge", type=click.Choice([kind.value for kind in ForgeKind]), help="What it speaks."),
    click.option("--url", "clone_url", metavar="URL", help="What git fetches from: https: or ssh:."),
    click.option("--branch", "default_branch", metavar="NAME", help="The default branch; else main."),
    click.option("--api-url", metavar="URL", help="Of the forge's API, where it is not the public one."),
    click.option("--web-url", metavar="URL", help="Where people look at it."),
    click.option("--user", metavar="NAME", help="Account of the token, where the forge asks for one."),
    click.option("--app-id", metavar="ID", help="Of a GitHub App."),
    click.option("--context", metavar="TEXT", help="Name of commit statuses; else pawl/{workflow}."),
    click.option(
        "--forks",
        type=click.Choice([policy.value for policy in ForkPolicy]),
        help="Whether pull requests from forks wait for approval.",
    ),
    click.option(
        "--poll",
        "poll_seconds",
        type=click.IntRange(min=0),
        metavar="SECONDS",
        help="How often to look for pushes whose webhook was lost; 0 for never.",
    ),
    click.option("--active/--inactive", default=None, help="Whether anything is started for it."),
    click.option(
        "--share-token/--keep-token",
        default=None,
        help="Whether jobs get the git token as GITHUB_TOKEN; else those of a GitHub App get their own.",
    ),
    click.option("--hook-secret", type=_READABLE, metavar="FILE", help="Holds the webhook's secret."),
    click.option("--git-token", type=_READABLE, metavar="FILE", help="Holds the token for git and statuses."),
    click.option("--app-key", type=_READABLE, metavar="FILE", help="Holds the GitHub App's private key."),
)
_SECRETS = {"hook_secret": "hook", "git_token": "token", "app_key": "app_key"}


@command.command(name="add", cls=ExampleCommand, examples=_ADD)
@click.argument("name")
@_fields
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON.")
@server_options
def add(name: str, *, as_json: bool, **options: Any) -> None:
    """Add the repository NAME, written owner/name, and print the secret of its webhook.

    Without --hook-secret a secret is made up. It is shown once and kept sealed. A FILE that is - is standard
    input.
    """
    body = _body(options)
    asked = read_asked(options)
    told = record(ask(asked, lambda client: client.post("/api/projects", {"name": name, **body})), "project")
    if as_json:
        write_json(told)
        return
    address = _webhook(asked.place().url, told)
    click.echo(f"Have the forge send its webhooks, as application/json, to\n\n    {address}\n")
    if "hook" not in _given(body):
        click.echo("with this secret, which is shown this once only:\n")
        click.echo(f"    {text(told, 'hook_secret')}")


@command.command(name="set", cls=ExampleCommand, examples=_SET)
@click.argument("name")
@_fields
@server_options
def change(name: str, **options: Any) -> None:
    """Change what the options say about the project NAME; a secret whose file is empty is taken away."""
    body = _body(options)
    if not body:
        raise UsageError("nothing is to be changed", hint="`pawl project set --help` lists what can be")
    ask(read_asked(options), lambda client: client.patch(_path(name), body))
    click.echo(f"Project {name} is changed.", err=True)


@command.command(name="list", cls=ExampleCommand, examples=_LIST)
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array.")
@server_options
@click.pass_context
def show_all(ctx: click.Context, /, *, as_json: bool, **options: Any) -> None:
    """List the projects of a server."""
    found = rows(ask(read_asked(options), lambda client: client.get("/api/projects")), "projects")
    if as_json:
        write_json(found)
        return
    screen = screen_of(ctx)
    if found:
        write_lines(draw_projects(found, screen), screen)
    else:
        click.echo("There is no project yet: `pawl project add` adds one.", err=True)


@command.command(name="show", cls=ExampleCommand, examples=_SHOW)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON.")
@server_options
@click.pass_context
def show(ctx: click.Context, /, name: str, *, as_json: bool, **options: Any) -> None:
    """Show the project NAME: its settings, and which secrets it has."""
    asked = read_asked(options)
    told = record(ask(asked, lambda client: client.get(_path(name))), "project")
    if as_json:
        write_json(told)
        return
    screen = screen_of(ctx)
    write_lines(draw_project({**told, "webhook": _webhook(asked.place().url, told)}, screen), screen)


@command.command(name="remove", cls=ExampleCommand, examples=_REMOVE)
@click.argument("name")
@server_options
def remove(name: str, **options: Any) -> None:
    """Remove the project NAME; its runs and deliveries stay."""
    ask(read_asked(options), lambda client: client.delete(_path(name)))
    click.echo(f"Project {name} is removed.", err=True)


def _path(name: str) -> str:
    return f"/api/projects/{quote(name, safe='/')}"


def _webhook(address: str, told: dict[str, Any]) -> str:
    return f"{address.rstrip('/')}{text(told, 'webhook')}"


def _body(options: dict[str, Any]) -> dict[str, Json]:
    """Return what was said about a project, taking it out of a command's options."""
    files = {name: options.pop(option) for option, name in _SECRETS.items()}
    secrets: dict[str, Json] = {name: _read(file) for name, file in files.items() if file is not None}
    plain = [name for name in options if name not in {"server", "token_file"}]
    body: dict[str, Json] = {name: value for name in plain if (value := options.pop(name)) is not None}
    return {**body, "secrets": secrets} if secrets else body


def _given(body: dict[str, Json]) -> dict[str, Json]:
    secrets = body.get("secrets")
    return secrets if isinstance(secrets, dict) else {}


def _read(file: Path) -> str:
    """Return a secret: from a file or standard input, never from the command line."""
    try:
        told = sys.stdin.read(_LONGEST) if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"`{file}` cannot be read: {error}") from None
    return told.strip()
