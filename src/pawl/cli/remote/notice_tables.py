"""Destinations, notices and commit statuses of a server as tables. Values in, lines out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pawl.cli.remote.answers import number, rows, text
from pawl.cli.remote.tables import show_time
from pawl.cli.terminal.lines import Line, Piece, Style
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import Screen
from pawl.cli.terminal.table import Column, Row, draw_table

Plain = dict[str, Any]

_STYLES = {"done": Style.GOOD, "failed": Style.BAD, "waiting": Style.WARN}
_SHOWN_COMMIT = 10


def draw_destinations(destinations: Sequence[Plain], screen: Screen) -> list[Line]:
    """Return the destinations, a line each."""
    columns = (
        Column(title="ID", right=True),
        Column(title="KIND"),
        Column(title="TARGET", most=60),
        Column(title="PROJECT", most=40),
        Column(title="TOLD"),
        Column(title="STATE"),
    )
    return draw_table(columns, [_destination(each) for each in destinations], screen, text_title="TOPICS")


def _destination(destination: Plain) -> Row:
    active = bool(destination.get("active"))
    topics = destination.get("topics")
    listed = ", ".join(map(str, topics)) if isinstance(topics, list) else ""
    reason = text(destination, "reason")
    return Row(
        cells=(
            Piece(text(destination, "id"), Style.STRONG),
            Piece(one_line(text(destination, "kind"))),
            Piece(one_line(text(destination, "target"))),
            Piece(one_line(text(destination, "project")) or "all", Style.FAINT),
            Piece(one_line(text(destination, "told")), Style.FAINT),
            Piece("on" if active else "off", Style.GOOD if active else Style.BAD),
        ),
        text=Piece(
            one_line("; ".join(filter(None, (listed, reason)))), Style.FAINT if active else Style.WARN
        ),
    )


def draw_notices(notices: Sequence[Plain], screen: Screen) -> list[Line]:
    """Return notices, a line each, with the last answer to it."""
    columns = (
        Column(title="ID", right=True),
        Column(title="TO", right=True),
        Column(title="TOPIC", most=20),
        Column(title="RUN", right=True),
        Column(title="STATE"),
        Column(title="TRIES", right=True),
        Column(title="TIME", rank=2),
    )
    return draw_table(columns, [_notice(each) for each in notices], screen, text_title="LAST ANSWER")


def _notice(notice: Plain) -> Row:
    state = text(notice, "state")
    created = number(notice, "created_at")
    return Row(
        cells=(
            Piece(text(notice, "id"), Style.STRONG),
            Piece(text(notice, "destination")),
            Piece(one_line(text(notice, "topic"))),
            Piece(text(notice, "run"), Style.FAINT),
            Piece(one_line(state), _STYLES.get(state, Style.FAINT)),
            Piece(text(notice, "tries") or "0"),
            Piece(show_time(created) if created is not None else "", Style.FAINT),
        ),
        text=Piece(one_line(last_answer(notice)), Style.FAINT),
    )


def last_answer(notice: Plain) -> str:
    """Return what the last try came to: the status and the beginning of the answer; "" before the first."""
    replies = rows(notice, "replies")
    if not replies:
        return ""
    status = number(replies[-1], "status") or 0
    return " ".join(filter(None, (f"{status:.0f}" if status else "", text(replies[-1], "text"))))


def draw_statuses(statuses: Sequence[Plain], screen: Screen) -> list[Line]:
    """Return commit statuses, a line each, and why one was not sent."""
    columns = (
        Column(title="COMMIT"),
        Column(title="NAME", most=48),
        Column(title="STATE"),
        Column(title="SENT"),
        Column(title="RUN", right=True),
        Column(title="PROJECT", rank=2, most=40),
    )
    return draw_table(columns, [_status(each) for each in statuses], screen, text_title="WHY NOT")


def _status(status: Plain) -> Row:
    sent = "yes" if status.get("sent") else "given up" if status.get("given_up") else "not yet"
    styles = {"yes": Style.GOOD, "given up": Style.BAD, "not yet": Style.WARN}
    return Row(
        cells=(
            Piece(one_line(text(status, "sha"))[:_SHOWN_COMMIT], Style.STRONG),
            Piece(one_line(text(status, "context"))),
            Piece(one_line(text(status, "state"))),
            Piece(sent, styles[sent]),
            Piece(text(status, "run"), Style.FAINT),
            Piece(one_line(text(status, "project")), Style.FAINT),
        ),
        text=Piece(one_line(text(status, "reason")), Style.WARN),
    )
