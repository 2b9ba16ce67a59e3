"""Secrets and variables of a server as tables. Values in, lines out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pawl.cli.remote.answers import number, text
from pawl.cli.remote.tables import show_time
from pawl.cli.terminal.lines import Line, Piece, Style
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import Screen
from pawl.cli.terminal.table import Column, Row, draw_table

Plain = dict[str, Any]


def draw_secrets(secrets: Sequence[Plain], screen: Screen) -> list[Line]:
    """Return secrets, a line each; their values are not there."""
    columns = (
        Column(title="SECRET", most=60),
        Column(title="OF", most=48),
        Column(title="ENVIRONMENT", rank=1, most=32),
        Column(title="SET", rank=2),
        Column(title="BY", rank=4, most=24),
        Column(title="LAST USED", rank=3),
    )
    rows = [
        Row(
            cells=(
                *_head(each),
                _time(each, "updated_at"),
                _by(each),
                _time(each, "used_at"),
            )
        )
        for each in secrets
    ]
    return draw_table(columns, rows, screen)


def draw_variables(variables: Sequence[Plain], screen: Screen) -> list[Line]:
    """Return variables, a line each."""
    columns = (
        Column(title="VARIABLE", most=60),
        Column(title="OF", most=48),
        Column(title="ENVIRONMENT", rank=1, most=32),
    )
    rows = [
        Row(cells=_head(each), text=Piece(one_line(text(each, "value")), Style.PLAIN)) for each in variables
    ]
    return draw_table(columns, rows, screen, text_title="VALUE")


def draw_uses(uses: Sequence[Plain], screen: Screen) -> list[Line]:
    """Return which attempts were given a secret, a line each."""
    columns = (
        Column(title="RUN", right=True),
        Column(title="JOB", most=48),
        Column(title="ATTEMPT", right=True, rank=3),
        Column(title="OF", most=48),
        Column(title="ENVIRONMENT", rank=1, most=32),
        Column(title="VERSION", right=True, rank=2),
        Column(title="WHEN"),
    )
    rows = [
        Row(
            cells=(
                Piece(text(each, "run"), Style.STRONG),
                Piece(one_line(text(each, "job"))),
                Piece(text(each, "attempt"), Style.FAINT),
                *_head(each)[1:],
                Piece(text(each, "version"), Style.FAINT),
                _time(each, "used_at"),
            )
        )
        for each in uses
    ]
    return draw_table(columns, rows, screen)


def _head(value: Plain) -> tuple[Piece, Piece, Piece]:
    return (
        Piece(one_line(text(value, "name")), Style.STRONG),
        Piece(one_line(text(value, "project")) or "every project"),
        Piece(one_line(text(value, "environment")), Style.FAINT),
    )


def _time(value: Plain, name: str) -> Piece:
    at = number(value, name)
    return Piece(show_time(at) if at is not None else "never", Style.FAINT)


def _by(value: Plain) -> Piece:
    return Piece(one_line(text(value, "updated_by")), Style.FAINT)
