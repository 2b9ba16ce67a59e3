"""Options that several commands share, and the types of their values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from pawl.cli.local_event import EventWish, read_payload
from pawl.cli.project import current_project
from pawl.cli.workflow_files import read_all
from pawl.core.model.errors import UsageError
from pawl.core.workflow.event_facts import EVENTS

_Function = TypeVar("_Function", bound=Callable[..., Any])


def complete_workflow(
    ctx: click.Context,  # noqa: ARG001 - click calls it so
    param: click.Parameter,  # noqa: ARG001 - as above
    incomplete: str,
) -> list[str]:
    """Return the names of workflow files that begin with `incomplete`, for shell completion."""
    files = current_project().workflow_files()
    return [path.stem for path in files if path.stem.startswith(incomplete)]


def complete_event(
    ctx: click.Context,  # noqa: ARG001 - as above
    param: click.Parameter,  # noqa: ARG001 - as above
    incomplete: str,
) -> list[str]:
    """Return the events that begin with `incomplete`."""
    return [name for name in EVENTS if name.startswith(incomplete)]


def complete_job(
    ctx: click.Context,  # noqa: ARG001 - as above
    param: click.Parameter,  # noqa: ARG001 - as above
    incomplete: str,
) -> list[str]:
    """Return the jobs of the project's workflows that begin with `incomplete`."""
    try:
        files = read_all(current_project())
    except UsageError:
        return []  # whoever is typing will be told when the command runs
    jobs = [job for file in files if file.workflow is not None for job in file.workflow.jobs]
    return [job for job in dict.fromkeys(jobs) if job.startswith(incomplete)]


class KeyValue(click.ParamType[tuple[str, str]]):
    """`name=value`; the value may hold further equal signs and be empty."""

    name = "key=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return the pair."""
        if isinstance(value, tuple):
            return value
        key, equals, text = str(value).partition("=")
        if not equals or not key.strip():
            self.fail(f"`{value}` is not of the form name=value", param, ctx)
        return key.strip(), text


KEY_VALUE = KeyValue()
FILE = click.Path(path_type=Path, dir_okay=False)

_WHAT_HAPPENED = (
    click.option(
        "--event",
        "event",
        metavar="EVENT",
        shell_complete=complete_event,
        help="The event, with an activity type after a dot if wanted: push, pull_request.closed.",
    ),
    click.option("--event-file", type=FILE, help="The event's payload: the JSON body of a webhook delivery."),
)
_WHERE_IN_THE_TREE = (
    click.option("--branch", metavar="NAME", help="The branch it is about; by default the one checked out."),
    click.option("--tag", metavar="NAME", help="The tag it is about, instead of a branch."),
)
_MORE_OF_IT = (
    click.option("--base", metavar="NAME", help="For pull requests: the branch it wants to go into."),
    click.option(
        "--changed",
        multiple=True,
        metavar="FILE",
        help="A changed file, for path filters; by default what differs from the default branch. Repeatable.",
    ),
    click.option(
        "--input", "inputs", multiple=True, type=KEY_VALUE, help="An input of workflow_dispatch. Repeatable."
    ),
)


def event_options(function: _Function) -> _Function:
    """Give a command the options that describe an event; it gets them as keywords for `read_wish`."""
    return _with(function, *_WHAT_HAPPENED, *_WHERE_IN_THE_TREE, *_MORE_OF_IT)


def commit_event_options(function: _Function) -> _Function:
    """Give a command those of them that make sense where branch or tag are those of a commit."""
    return _with(function, *_WHAT_HAPPENED, *_MORE_OF_IT)


def _with(function: _Function, *options: Callable[[_Function], _Function]) -> _Function:
    for option in reversed(options):
        function = option(function)
    return function


def read_wish(options: dict[str, Any]) -> EventWish:
    """Return the event wished for, taking the options of `event_options` out of `options`.

    Raises:
        UsageError: the event file cannot be read.
    """
    file = options.pop("event_file")
    return EventWish(
        name=options.pop("event"),
        payload=read_payload(file) if file else None,
        branch=options.pop("branch", None),
        tag=options.pop("tag", None),
        base=options.pop("base"),
        changed=tuple(options.pop("changed")),
        inputs=dict(options.pop("inputs")),
    )
