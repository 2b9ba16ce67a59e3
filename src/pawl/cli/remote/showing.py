"""Writing what a server answered: as JSON for programs, as lines that fit for people."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterable

import click

from pawl.cli.terminal.lines import Line, to_text
from pawl.cli.terminal.notices import NOTE, tell
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import Screen, look_at
from pawl.core.model.errors import UsageError

_WATCH_SECONDS = 2.0
_HOME_AND_CLEAR = "\x1b[H\x1b[J"


def write_json(told: object) -> None:
    """Write an answer as indented JSON; ASCII only, so nothing in it can steer a terminal."""
    click.echo(json.dumps(told, indent=2))


def write_lines(lines: Iterable[Line], screen: Screen) -> None:
    """Write lines that fit the screen already."""
    for each in lines:
        click.echo(to_text(each, colour=screen.colour), color=screen.colour)


def screen_of(ctx: click.Context) -> Screen:
    """Return standard output as the command's options want it."""
    return look_at(sys.stdout, colour=bool(ctx.color))


def note(text: str) -> None:
    """Say a sentence on standard error."""
    tell(NOTE, one_line(text))


def watch(draw: Callable[[Screen], list[Line]], ctx: click.Context) -> None:
    """Draw again every two seconds until Ctrl-C: over itself on a terminal, else one after the other."""
    while True:
        screen = screen_of(ctx)
        lines = draw(screen)
        if screen.is_terminal:
            click.echo(_HOME_AND_CLEAR, nl=False, color=True)
            lines = lines[: screen.height - 1]
        write_lines(lines, screen)
        sys.stdout.flush()
        time.sleep(_WATCH_SECONDS)


def read_run_id(text: str) -> int:
    """Return the number in `12` or `#12`.

    Raises:
        UsageError: it is none.
    """
    if not re.fullmatch(r"#?[0-9]{1,15}", text):
        raise UsageError(
            f"`{text[:100]}` is no run number", hint="`pawl runs --server` lists the server's runs"
        )
    return int(text.removeprefix("#"))
