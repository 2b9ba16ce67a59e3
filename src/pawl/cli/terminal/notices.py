"""Sentences on standard error: notes, errors and hints, wrapped at words on a terminal."""

from __future__ import annotations

import sys
from contextvars import ContextVar

import click

from pawl.cli.terminal.lines import Line, Piece, Style, line
from pawl.cli.terminal.sanitise import sanitise
from pawl.cli.terminal.screen import look_at, use_colour
from pawl.cli.terminal.wrapping import draw_lines

NOTE = Piece("note: ", Style.NOTE)
ERROR = Piece("error: ", Style.BAD_STRONG)
HINT = Piece("hint: ", Style.NOTE)

COLOUR_CHOICE = ContextVar("COLOUR_CHOICE", default="auto")
"""What `--color` said: errors are told when the command and its context are over already."""


def tell(label: Piece, text: str) -> None:
    """Write a sentence, or several lines, behind its label; nothing in it can steer the terminal."""
    colour = use_colour(COLOUR_CHOICE.get(), sys.stderr)
    screen = look_at(sys.stderr, colour=colour)
    for drawn in draw_lines(_lines(label, text), screen):
        click.echo(drawn, err=True, color=colour)


def _lines(label: Piece, text: str) -> list[Line]:
    first, *rest = sanitise(text, colour=False).split("\n")
    return [line(label, first), *(line(each) for each in rest)]
