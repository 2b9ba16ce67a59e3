"""The lists of a server as tables: runs, the queue, workers, tokens. Values in, lines out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pawl.cli.remote.answers import conclusion, number, rows, text
from pawl.cli.terminal.durations import show_duration, show_size
from pawl.cli.terminal.lines import Line, Piece, Style
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import Screen
from pawl.cli.terminal.table import Column, Row, draw_table
from pawl.cli.view.picture import Phase
from pawl.cli.view.tree import sign_of

_AWAY_SECONDS = 60.0
"""A worker not heard of for longer is shown as away."""

_MOST_RUNNING = 5
"""Jobs of a worker that are shown."""

_MOST_FILES = 5
"""Names of an artifact's files that are shown."""

Plain = dict[str, Any]


def draw_runs(runs: Sequence[Plain], now: float, screen: Screen) -> list[Line]:
    """Return the runs of a server, a line each."""
    columns = (
        Column(title=""),
        Column(title="RUN", right=True),
        Column(title="WORKFLOW", most=36),
        Column(title="STATE", most=18),
        Column(title="TOOK", rank=2, right=True),
        Column(title="REF", rank=3, most=24),
        Column(title="REPOSITORY", rank=4, most=32),
        Column(title="STARTED", rank=5),
    )
    return draw_table(columns, [_run(run, now, screen) for run in runs], screen)


def _run(run: Plain, now: float, screen: Screen) -> Row:
    ended = conclusion(run)
    running = text(run, "status") == "in_progress"
    created = number(run, "created_at") or now
    started, end = number(run, "started_at"), number(run, "completed_at")
    took = show_duration((end or now) - (started or created)) if started or end else ""
    return Row(
        cells=(
            sign_of(ended, Phase.RUNNING if running else Phase.WAITING, screen.glyphs),
            Piece(text(run, "id"), Style.STRONG),
            Piece(one_line(text(run, "run_name", "name", "path"))),
            Piece(state_of(run), Style.FAINT),
            Piece(took, Style.FAINT),
            Piece(short_ref(text(run, "ref")), Style.FAINT),
            Piece(one_line(text(run, "repository")), Style.FAINT),
            Piece(show_time(created), Style.FAINT),
        )
    )


def state_of(run: Plain) -> str:
    """Return the one word for where a run is: how it ended, else its status, or that it is cancelling."""
    if run.get("cancelling") and not run.get("conclusion"):
        return "cancelling"
    return one_line(text(run, "conclusion", "status")).replace("_", " ")


def draw_queue(entries: Sequence[Plain], now: float, screen: Screen) -> list[Line]:
    """Return the queue in order: position, job, where it is from, how long it waits, and why."""
    columns = (
        Column(title="#", right=True),
        Column(title="RUN", right=True),
        Column(title="JOB", most=36),
        Column(title="WAITS", right=True),
        Column(title="REPOSITORY", rank=3, most=32),
    )
    return draw_table(columns, [_entry(each, now) for each in entries], screen, text_title="WHY IT WAITS")


def _entry(entry: Plain, now: float) -> Row:
    since = number(entry, "waiting_since")
    return Row(
        cells=(
            Piece(text(entry, "position")),
            Piece(text(entry, "run"), Style.STRONG),
            Piece(one_line(text(entry, "name", "job"))),
            Piece(show_duration(now - since, precise=False) if since is not None else "", Style.FAINT),
            Piece(one_line(text(entry, "repository")), Style.FAINT),
        ),
        text=_about(text(entry, "reason"), Style.NOTE),
    )


def draw_workers(workers: Sequence[Plain], now: float, screen: Screen) -> list[Line]:
    """Return the workers: state, name, slots that are busy of all, labels and the runs' jobs."""
    columns = (
        Column(title="WORKER", most=36),
        Column(title="STATE", most=12),
        Column(title="SLOTS", right=True),
        Column(title="HEARD", rank=2, right=True),
        Column(title="VERSION", rank=3, most=12),
    )
    return draw_table(
        columns, [_worker(each, now) for each in workers], screen, text_title="LABELS, AND WHAT IT RUNS"
    )


def _worker(worker: Plain, now: float) -> Row:
    seen = number(worker, "last_seen")
    state, style = _worker_state(worker, now - seen if seen is not None else None)
    facts = worker.get("facts")
    busy = number(worker, "busy")
    slots = text(worker, "slots")
    labels = worker.get("labels")
    listed = ", ".join(map(str, labels)) if isinstance(labels, list) else ""
    health = text(worker, "health")
    return Row(
        cells=(
            Piece(one_line(text(worker, "name", "id")), Style.STRONG),
            Piece(state, style),
            Piece(f"{busy:.0f}/{slots}" if busy is not None else slots),
            Piece(f"{show_duration(now - seen, precise=False)} ago" if seen is not None else "", Style.FAINT),
            Piece(one_line(text(facts if isinstance(facts, dict) else {}, "version", "pawl")), Style.FAINT),
        ),
        text=_about(
            "; ".join(filter(None, (listed, _what_runs(worker), health))),
            Style.WARN if health else Style.FAINT,
        ),
    )


def _what_runs(worker: Plain) -> str:
    running = rows(worker, "running")
    shown = [f"{text(each, 'run')} {text(each, 'name', 'job')}" for each in running[:_MOST_RUNNING]]
    more = f" and {len(running) - _MOST_RUNNING} more" if running[_MOST_RUNNING:] else ""
    return f"runs {', '.join(shown)}{more}" if shown else ""


def _worker_state(worker: Plain, silent: float | None) -> tuple[str, Style]:
    if silent is not None and silent > _AWAY_SECONDS:
        return "away", Style.BAD
    if text(worker, "health"):
        return "unwell", Style.WARN
    return ("draining", Style.WARN) if worker.get("draining") else ("ready", Style.GOOD)


def draw_artifacts(artifacts: Sequence[Plain], screen: Screen) -> list[Line]:
    """Return the artifacts of a run: name, size, whose they are, their files."""
    columns = (
        Column(title="ARTIFACT", most=36),
        Column(title="SIZE", right=True),
        Column(title="JOB", rank=2, most=36),
        Column(title="ATTEMPT", rank=3, right=True),
    )
    return draw_table(columns, [_artifact(each) for each in artifacts], screen, text_title="FILES")


def _artifact(artifact: Plain) -> Row:
    names = [text(each, "name") for each in rows(artifact, "files")]
    listed = ", ".join(names[:_MOST_FILES]) + (
        f" and {len(names) - _MOST_FILES} more" if names[_MOST_FILES:] else ""
    )
    return Row(
        cells=(
            Piece(one_line(text(artifact, "name")), Style.STRONG),
            Piece(show_size(int(number(artifact, "size") or 0))),
            Piece(one_line(text(artifact, "job")), Style.FAINT),
            Piece(text(artifact, "attempt"), Style.FAINT),
        ),
        text=_about(listed, Style.FAINT),
    )


def draw_tokens(tokens: Sequence[Plain], now: float, screen: Screen) -> list[Line]:
    """Return the tokens, never their secrets."""
    columns = (
        Column(title="TOKEN", most=36),
        Column(title="SCOPE"),
        Column(title="STATE"),
        Column(title="LAST USED", rank=2),
        Column(title="CREATED", rank=3),
        Column(title="ID", rank=1, most=12),
    )
    return draw_table(columns, [_token(each, now) for each in tokens], screen)


def _token(token: Plain, now: float) -> Row:
    used, created = number(token, "last_used"), number(token, "created_at")
    ends = number(token, "expires_at")
    state, style = "good" if ends is None else f"good until {show_time(ends)}", Style.GOOD
    if token.get("revoked") or (ends is not None and ends <= now):
        state, style = "revoked" if token.get("revoked") else "expired", Style.FAINT
    return Row(
        cells=(
            Piece(one_line(text(token, "name")), Style.STRONG),
            Piece(one_line(text(token, "scope"))),
            Piece(state, style),
            Piece(show_time(used) if used is not None else "never", Style.FAINT),
            Piece(show_time(created) if created is not None else "", Style.FAINT),
            Piece(text(token, "id"), Style.FAINT),
        )
    )


def short_ref(ref: str) -> str:
    """Return `main` for `refs/heads/main`."""
    return one_line(ref.removeprefix("refs/heads/").removeprefix("refs/tags/"))


def show_time(seconds: float) -> str:
    """Return a time as this machine's calendar and clock show it."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


def _about(words: str, style: Style) -> Piece | None:
    return Piece(one_line(words), style) if words else None
