"""What a mail about a run's end says, from the body of the notice. Pure."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from pawl.core.forges.answers import shortened
from pawl.engine.reporting.lines import duration
from pawl.engine.reporting.streaks import Change, News, news_text
from pawl.ports.mail import Mail

_NOT_IN_ID = re.compile(r"[^A-Za-z0-9.-]+")
_LONGEST_SUBJECT = 200
_LONGEST_VALUE = 2000
_WORDS = {
    "success": "Succeeded",
    "failure": "Failed",
    "timed_out": "Timed out",
    "cancelled": "Cancelled",
    "skipped": "Skipped",
}


def mail_of(body: str, to: tuple[str, ...], created_at: float) -> Mail:
    """Return the mail of a notice.

    Args:
        body: of the notice, as it was stored.
        to: addresses.
        created_at: of the notice.
    """
    told: Mapping[str, Any] = json.loads(body)
    subject, rows = _ping(told) if told["topic"] == "ping" else _run(told)
    text = "".join(f"{name}: {value}\n" for name, value in rows)
    cells = "".join(
        f"<tr><th align=left>{html.escape(name)}</th><td>{_cell(value)}</td></tr>" for name, value in rows
    )
    return Mail(
        identity=_NOT_IN_ID.sub("-", str(told["id"])),
        to=to,
        subject=subject,
        text=f"{subject}\n\n{text}",
        html=f"<!doctype html><p><b>{html.escape(subject)}</b></p><table>{cells}</table>",
        time=created_at,
    )


def _ping(told: Mapping[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    return "Pawl: a test, nothing happened", [("Asked for by", _line(told.get("by")))]


def _run(told: Mapping[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    run: Mapping[str, Any] = told["run"]
    word = _WORDS.get(str(run["conclusion"]), str(run["conclusion"]))
    news = News(change=Change(told.get("change", "none")), since=told.get("broken_since"))
    changed = news_text(news, int(run["number"]))
    ref = _line(run["ref"]).removeprefix("refs/heads/").removeprefix("refs/tags/")
    subject = shortened(
        f"{word}: {_line(run['workflow'])} #{run['number']} of {_line(told['repository'])} at {ref}",
        _LONGEST_SUBJECT,
    )
    started, ended = run.get("started_at"), run.get("completed_at")
    rows = [
        ("Run", f"{_line(run['name'])} (#{run['number']}, attempt {run['attempt']})"),
        ("Result", word + (f": {_line(run['reason'])}" if run.get("reason") else "")),
        ("Change", changed),
        ("Repository", _line(told["repository"])),
        ("Ref", ref),
        ("Commit", _line(run["sha"])),
        ("By", _line(run["actor"])),
        ("Took", duration(ended - started) if started is not None and ended is not None else ""),
        ("Link", _line(told["url"])),
    ]
    return subject, [(name, value) for name, value in rows if value]


def _line(value: object) -> str:
    """Return a value in one line: branches and messages are strangers', and may hold what breaks headers."""
    return shortened(str(value or ""), _LONGEST_VALUE)


def _cell(value: str) -> str:
    escaped = html.escape(value)
    if value.startswith(("https://", "http://")):
        return f'<a href="{escaped}">{escaped}</a>'
    return escaped
