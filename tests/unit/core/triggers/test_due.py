"""What is due of a schedule that nobody looked at for a while."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pawl.core.triggers.due import due_now, first_fire
from pawl.core.workflow.cron import Cron, parse_cron

HOUR = 3600.0


def cron(text: str) -> Cron:
    made = parse_cron(text)
    assert isinstance(made, Cron)
    return made


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def due(line: str, since: str, now: str, catch_up: float = 12 * HOUR) -> tuple[float | None, float | None]:
    found = due_now(cron(line), UTC, since=at(since), now=at(now), catch_up=catch_up)
    return found.fire, found.next_at


@pytest.mark.parametrize(
    ("now", "fire", "following"),
    [
        ("2026-03-02T10:00:00", "2026-03-02T10:00", "2026-03-02T10:15"),
        ("2026-03-02T10:14:59", "2026-03-02T10:00", "2026-03-02T10:15"),
        ("2026-03-02T10:15:00", "2026-03-02T10:15", "2026-03-02T10:30"),
        ("2026-03-02T19:07:00", "2026-03-02T19:00", "2026-03-02T19:15"),
        ("2026-03-09T19:07:00", "2026-03-09T19:00", "2026-03-09T19:15"),
    ],
)
def test_of_all_that_were_missed_the_latest_is_due(now: str, fire: str, following: str) -> None:
    assert due("*/15 * * * *", "2026-03-02T10:00", now) == (at(fire), at(following))


def test_what_is_too_old_is_not_due() -> None:
    nightly = ("0 2 * * *", "2026-03-02T02:00")
    assert due(*nightly, "2026-03-02T13:59") == (at("2026-03-02T02:00"), at("2026-03-03T02:00"))
    assert due(*nightly, "2026-03-02T14:00:01") == (None, at("2026-03-03T02:00"))
    assert due(*nightly, "2026-03-05T01:00") == (None, at("2026-03-05T02:00"))


def test_nothing_is_due_before_its_time() -> None:
    assert due("0 2 * * *", "2026-03-02T02:00", "2026-03-02T01:59:59") == (None, at("2026-03-02T02:00"))


def test_a_line_that_never_fires_is_never_due() -> None:
    assert first_fire(cron("0 0 31 2 *"), UTC, at("2026-03-02T00:00")) is None


def test_a_day_with_a_change_of_the_clocks_fires_once() -> None:
    zone = ZoneInfo("Europe/Berlin")
    line = cron("30 2 * * *")
    before = at("2026-10-25T00:00", "Europe/Berlin")
    first = first_fire(line, zone, before)
    assert first == at("2026-10-25T02:30", "Europe/Berlin")
    later = due_now(line, zone, since=first, now=first + 2 * HOUR, catch_up=12 * HOUR)
    assert (later.fire, later.next_at) == (first, at("2026-10-26T02:30", "Europe/Berlin"))
