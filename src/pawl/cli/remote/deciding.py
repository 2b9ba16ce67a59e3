"""What `pawl approve` and `pawl reject` share: finding what waits, and saying what is thought of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from pawl.cli.remote.answers import record, rows, text
from pawl.cli.remote.client import Client
from pawl.cli.remote.options import ask, read_asked, server_options
from pawl.cli.remote.showing import read_run_id, write_json
from pawl.cli.terminal.sanitise import one_line
from pawl.core.model.errors import UsageError
from pawl.core.model.plan import Json

_Function = TypeVar("_Function", bound=Callable[..., Any])


def decision_options(function: _Function) -> _Function:
    """Give a command the argument and the options of a decision."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.argument("run"),
    click.option("-e", "--environment", metavar="NAME", help="Which, where several of the run wait."),
    click.option("--comment", metavar="TEXT", default="", help="Why, as it is kept with the run."),
    click.option("--json", "as_json", is_flag=True, help="Write the approval as JSON."),
    server_options,
)


def decide(run: str, options: dict[str, Any], *, word: str) -> None:
    """Approve or reject (`word`) what waits of a run, and say what came of it."""
    number, environment, comment = read_run_id(run), options.pop("environment"), options.pop("comment")
    as_json = options.pop("as_json")

    async def work(client: Client) -> Json:
        found = rows(await client.get(f"/api/runs/{number}/approvals"), "approvals")
        body: dict[str, Json] = {**_chosen(found, number, environment), "comment": comment}
        # Named exactly, it can be asked again: it is never about what waits next.
        return await client.post(f"/api/runs/{number}/{word}", body, repeatable=True)

    told = record(ask(read_asked(options), work), "approval")
    if as_json:
        write_json(told)
        return
    what = f"environment {one_line(text(told, 'environment'))} of run {number}"
    what = what if text(told, "environment") else f"Run {number}"
    done = "approved" if word == "approve" else "rejected"
    if told.get("repeated"):
        by = one_line(text(told, "decided_by"))
        click.echo(f"{_capital(what)} was {done} already, by {by}.", err=True)
    elif told.get("state") == "waiting":
        click.echo(f"{_capital(what)} is {done}; it waits for its time.", err=True)
    else:
        click.echo(f"{_capital(what)} is {done}.", err=True)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _chosen(found: list[dict[str, Any]], run: int, environment: str | None) -> dict[str, Json]:
    """Return what a decision names: the environment, and the start of the run that it is about.

    Raises:
        UsageError: several wait, and none was named.
    """
    last = max((int(each.get("attempt", 0)) for each in found), default=0)
    if environment is not None:
        return {"environment": environment, "attempt": last}
    now = [each for each in found if each.get("attempt") == last and each.get("state") != "exempt"]
    waiting = [each for each in now if each.get("state") == "waiting" and not each.get("decided_by")]
    if len(waiting) > 1:
        names = ", ".join(one_line(text(each, "environment")) for each in waiting)
        raise UsageError(
            f"several environments of run {run} wait: {names}", hint="name one: --environment NAME"
        )
    decided = sorted(now, key=lambda each: each.get("decided_at") or 0.0)
    about = (waiting or decided)[-1:]
    return {"environment": text(about[0], "environment") if about else "", "attempt": last}
