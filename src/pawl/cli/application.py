"""The command group: the list of commands, with their modules imported only when one is called."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click

from pawl.cli.errors import run_guarded
from pawl.cli.examples import write_examples
from pawl.cli.terminal.notices import COLOUR_CHOICE, NOTE, tell
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import use_colour
from pawl.cli.version import VERSION
from pawl.core.diagnostics.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: where it is, what `pawl --help` says about it, and under which heading."""

    module: str
    summary: str
    heading: str


COMMANDS = {
    "init": Entry("init", "Write a starter workflow for this project.", "Start"),
    "validate": Entry("validate", "Check workflow and action files.", "Start"),
    "plan": Entry("plan", "Show what an event would run, and why.", "Start"),
    "run": Entry("run", "Run a workflow on the working tree.", "Run"),
    "trigger": Entry("trigger", "Start a workflow on a server, as it is in a commit.", "Run"),
    "cancel": Entry("cancel", "Stop a run of a server, or one job of it.", "Run"),
    "approve": Entry("approve", "Let go on what waits for a person on a server.", "Run"),
    "reject": Entry("reject", "End what waits for a person on a server.", "Run"),
    "rerun": Entry("rerun", "Run a finished run of a server again.", "Run"),
    "runs": Entry("runs", "List the runs of this project, or of a server.", "Look"),
    "logs": Entry("logs", "Show the log of a run.", "Look"),
    "why": Entry("why", "Say why a job or step ran, was skipped or failed.", "Look"),
    "artifacts": Entry("artifacts", "List or fetch what a run of a server kept.", "Look"),
    "deliveries": Entry("deliveries", "Show what forges told a server, and what came of it.", "Look"),
    "queue": Entry("queue", "Show what waits on a server, and why.", "Look"),
    "workers": Entry("workers", "List the workers of a server.", "Look"),
    "shell": Entry("shell", "Open a shell in the container of a failed job.", "Look"),
    "serve": Entry("serve", "Run a server, with a worker of its own.", "Server"),
    "worker": Entry("worker", "Run a worker for a server.", "Server"),
    "token": Entry("token", "Make, list and revoke a server's tokens.", "Server"),
    "project": Entry("project", "Add, change and list the repositories of a server.", "Server"),
    "secret": Entry("secret", "Set, list and remove the secrets of jobs on a server.", "Server"),
    "variable": Entry("variable", "Set, list and remove the variables of jobs on a server.", "Server"),
    "environment": Entry("environment", "Say who approves before jobs deploy.", "Server"),
    "notify": Entry("notify", "Say whom a server tells of its runs, and show what it told.", "Server"),
    "backup": Entry("backup", "Copy all that a server keeps; it may go on running.", "Server"),
    "restore": Entry("restore", "Make a server's data folder out of a backup.", "Server"),
    "migrate-store": Entry("migrate_store", "Copy a server's database into another one.", "Server"),
    "eval": Entry("evaluate", "Evaluate an expression.", "Tools"),
    "schema": Entry("schema", "Print the JSON Schema of workflow files.", "Tools"),
    "doctor": Entry("doctor", "Check this machine, and clean up after killed runs.", "Tools"),
    "completion": Entry("completion", "Print the completion script for a shell.", "Tools"),
}


_FIRST_ROUND = (
    ("pawl init", "write a starter workflow"),
    ("pawl validate", "check the workflow files"),
    ("pawl plan --event push", "see what a push would run, and why"),
    ("pawl run", "run it, on the files as they are now"),
    ("pawl serve", "a server: queue, logs and a worker"),
    ("pawl trigger ci -f", "run a commit there, and follow it"),
)


class LazyGroup(click.Group):
    """Knows its commands by name; imports a command's module when it is looked up."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        """Return the names in the order they are shown."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click calls it so
        cmd_name: str,
    ) -> click.Command | None:
        """Return the command called `cmd_name`, importing its module, or None."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"pawl.cli.commands.{entry.module}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` name; one that does not exist gets a "did you mean"."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], COMMANDS) or f"there are {', '.join(COMMANDS)}"
            raise click.UsageError(f"no command `{args[0]}`: {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click calls it so
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the commands under their headings, without importing them."""
        for heading in dict.fromkeys(entry.heading for entry in COMMANDS.values()):
            with formatter.section(heading):
                formatter.write_dl(
                    [(name, entry.summary) for name, entry in COMMANDS.items() if entry.heading == heading]
                )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a first round of examples, then the exit codes."""
        write_examples(_FIRST_ROUND, formatter)
        super().format_epilog(ctx, formatter)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 success, 1 the run or check failed, 2 wrong use, 3 our fault or the machine's,"
    " 130 interrupted.",
)
@click.version_option(VERSION, message="pawl %(version)s")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="When to use colours. NO_COLOR in the environment turns them off too.",
)
@click.option("--embedded", is_flag=True, hidden=True, help="A server started it, and told what is to tell.")
@click.pass_context
def pawl(ctx: click.Context, color: str, *, embedded: bool) -> None:
    """Run GitHub Actions workflows on your own machines, and on your working tree."""
    COLOUR_CHOICE.set(color)
    ctx.color = use_colour(color, sys.stdout)
    if not embedded and any(name.upper().startswith("PAWL_") for name in os.environ):
        from pawl.cli.misspelt import misspelt_variables  # noqa: PLC0415 - few set any: 10 ms to import

        for sentence in misspelt_variables(os.environ):
            tell(NOTE, one_line(sentence))


def run(arguments: Sequence[str]) -> int:
    """Run the command that `arguments` name and return the exit code."""
    # A stream that the caller closed (`>&-`) is None.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            # A character that the terminal's encoding lacks is no reason to fail.
            reconfigure(errors="replace")
    return run_guarded(lambda: _invoke(list(arguments)))


def _nowhere() -> IO[str]:
    return Path(os.devnull).open("w", encoding="utf-8")


def _invoke(arguments: list[str]) -> object:
    """Run the command and return what it returned.

    `Group.main` would deal with a closed pipe by itself and end with 1; it is only asked for completion.
    """
    if "_PAWL_COMPLETE" in os.environ:
        return pawl.main(arguments, prog_name="pawl")
    with pawl.make_context("pawl", arguments) as context:
        return pawl.invoke(context)
