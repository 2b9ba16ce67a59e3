"""Projects and deliveries of a server as tables. Values in, lines out."""

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

_SHOWN = (
    ("name", "name"),
    ("forge", "forge"),
    ("webhook", "webhook"),
    ("clone_url", "URL"),
    ("default_branch", "default branch"),
    ("api_url", "API"),
    ("web_url", "pages"),
    ("user", "user"),
    ("app_id", "app"),
    ("context", "statuses"),
    ("forks", "forks wait"),
    ("poll_seconds", "poll seconds"),
    ("active", "active"),
    ("share_token", "shares its token"),
    ("secrets", "secrets"),
)


def draw_projects(projects: Sequence[Plain], screen: Screen) -> list[Line]:
    """Return the projects, a line each."""
    columns = (
        Column(title="PROJECT", most=48),
        Column(title="FORGE"),
        Column(title="STATE"),
        Column(title="BRANCH", rank=2, most=24),
        Column(title="URL", rank=3, most=60),
    )
    return draw_table(columns, [_project(each) for each in projects], screen)


def _project(project: Plain) -> Row:
    active = bool(project.get("active", True))
    return Row(
        cells=(
            Piece(one_line(text(project, "name")), Style.STRONG),
            Piece(one_line(text(project, "forge"))),
            Piece("active" if active else "inactive", Style.GOOD if active else Style.FAINT),
            Piece(one_line(text(project, "default_branch")), Style.FAINT),
            Piece(one_line(text(project, "clone_url")), Style.FAINT),
        )
    )


def draw_project(project: Plain, screen: Screen) -> list[Line]:
    """Return one project, a line for each field that says something."""
    columns = (Column(title=""), Column(title="", most=200))
    return draw_table(
        columns,
        [
            Row(cells=(Piece(title, Style.FAINT), Piece(one_line(_plain(project[name])))))
            for name, title in _SHOWN
            if project.get(name) not in (None, "", [])
        ],
        screen,
    )[1:]


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def draw_deliveries(deliveries: Sequence[Plain], screen: Screen) -> list[Line]:
    """Return deliveries, a line each, with what came of them."""
    columns = (
        Column(title="DELIVERY", right=True),
        Column(title="STATE"),
        Column(title="EVENT", most=24),
        Column(title="FROM", rank=2),
        Column(title="PROJECT", rank=1, most=36),
        Column(title="CAME", rank=3),
    )
    return draw_table(columns, [_delivery(each) for each in deliveries], screen, text_title="WHAT CAME OF IT")


def _delivery(delivery: Plain) -> Row:
    state = text(delivery, "state")
    came = number(delivery, "received_at")
    return Row(
        cells=(
            Piece(text(delivery, "id"), Style.STRONG),
            Piece(_state(delivery), _style(state)),
            Piece(one_line(text(delivery, "name"))),
            Piece(_source(delivery), Style.FAINT),
            Piece(one_line(text(delivery, "project")), Style.FAINT),
            Piece(show_time(came) if came is not None else "", Style.FAINT),
        ),
        text=Piece(one_line(_outcome(delivery)), Style.FAINT),
    )


def draw_delivery(delivery: Plain, screen: Screen) -> list[Line]:
    """Return one delivery, and below it what each workflow said."""
    columns = (
        Column(title="WORKFLOW", most=48),
        Column(title="EVENT", rank=1, most=24),
        Column(title="RUN", right=True),
    )
    said = [_verdict(each) for each in rows(delivery.get("verdicts"), "verdicts")]
    head = draw_deliveries([delivery], screen)
    return [*head, *draw_table(columns, said, screen, text_title="WHY")] if said else head


def _verdict(verdict: Plain) -> Row:
    return Row(
        cells=(
            Piece(one_line(text(verdict, "path") or "all"), Style.STRONG),
            Piece(one_line(text(verdict, "event")), Style.FAINT),
            Piece(text(verdict, "run") or "-", Style.GOOD if verdict.get("run") else Style.FAINT),
        ),
        text=Piece(one_line(text(verdict, "reason"))),
    )


def _state(delivery: Plain) -> str:
    tries = int(number(delivery, "tries") or 0)
    if text(delivery, "state") != "stored":
        return text(delivery, "state")
    return f"waits, {tries} tries" if tries else "waits"


def _style(state: str) -> Style:
    return {"done": Style.GOOD, "failed": Style.BAD}.get(state, Style.FAINT)


def _source(delivery: Plain) -> str:
    replayed = text(delivery, "replay_of")
    return f"replay of {replayed}" if replayed else one_line(text(delivery, "source"))


def _outcome(delivery: Plain) -> str:
    verdicts = rows(delivery.get("verdicts"), "verdicts")
    runs = [text(each, "run") for each in verdicts if each.get("run")]
    if runs:
        return f"{'run' if len(runs) == 1 else 'runs'} {', '.join(runs)}"
    return text(delivery, "reason") or "; ".join(dict.fromkeys(text(each, "reason") for each in verdicts))
