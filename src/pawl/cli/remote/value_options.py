"""What `pawl secret` and `pawl variable` have in common: whose a value is, and how it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import click

from pawl.core.model.errors import UsageError
from pawl.core.secrets.names import MAX_BYTES, name_fault, value_fault

_Function = TypeVar("_Function", bound=Callable[..., Any])

_PROJECT = click.option("--project", metavar="OWNER/NAME", help="Whose it is; without, every project's.")
_ENVIRONMENT = click.option(
    "--environment", metavar="NAME", help="Of the project: only jobs that deploy there have it."
)


def scope_options(function: _Function) -> _Function:
    """Give a command `--project` and `--environment`; it gets them as keywords for `take_scope`."""
    return _PROJECT(_ENVIRONMENT(function))


def take_scope(options: dict[str, Any]) -> dict[str, str]:
    """Return whose a value is, taking it out of a command's options.

    Raises:
        UsageError: an environment without its project.
    """
    scope = {name: options.pop(name) or "" for name in ("project", "environment")}
    if scope["environment"] and not scope["project"]:
        raise UsageError("an environment is a project's: say which", hint="add --project OWNER/NAME")
    return {name: value for name, value in scope.items() if value}


def path_of(kind: str, name: str) -> str:
    """Return the path of a secret or variable.

    Raises:
        UsageError: nothing can be called so; a value may have been put there, so it is not repeated.
    """
    if "=" in name:
        raise UsageError(
            "a NAME is wanted, without a value: others can see a command line",
            hint="the value is asked for, or read from standard input",
        )
    if fault := name_fault(name):
        raise UsageError(f"`{name[:40]}` cannot be a name: {fault}")
    return f"/api/{kind}/{quote(name, safe='')}"


def shown(scope: Mapping[str, str]) -> str:
    """Return whose a value is, for people."""
    project = scope.get("project", "")
    environment = f", environment {scope['environment']}" if "environment" in scope else ""
    return f"{project}{environment}" if project else "every project"


def read_value(prompt: str, *, hidden: bool) -> str:
    """Return a value: asked for on a terminal, else all of standard input but for one line's end.

    Raises:
        UsageError: it cannot be kept.
    """
    if sys.stdin.isatty():
        value: str = click.prompt(prompt, hide_input=hidden, err=True)
    else:
        try:
            value = sys.stdin.buffer.read(MAX_BYTES + 3).decode()
        except UnicodeDecodeError:
            raise UsageError("standard input is not UTF-8 text") from None
        value = value.removesuffix("\n").removesuffix("\r")
    if fault := value_fault(value, secret=hidden):
        raise UsageError(fault)
    return value
