from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pawl.core.triggers.schedule import next_fire
from pawl.core.workflow.cron import Cron, parse_cron

BERLIN = ZoneInfo("Europe/Berlin")


def cron(line: str) -> Cron:
    parsed = parse_cron(line)
    assert isinstance(parsed, Cron)
    return parsed


@pytest.mark.parametrize(
    ("line", "after", "expected"),
    [
        ("* * * * *", "2026-03-01T10:00:30", "2026-03-01T10:01:00"),
        ("0 3 * * *", "2026-03-01T03:00:00", "2026-03-02T03:00:00"),
        ("*/15 9-17 * * MON-FRI", "2026-03-06T17:45:00", "2026-03-09T09:00:00"),
        ("0 0 29 2 *", "2025-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 13 * 5", "2026-03-01T00:00:00", "2026-03-06T00:00:00"),
        ("59 23 31 12 *", "2026-12-31T23:59:00", "2027-12-31T23:59:00"),
    ],
)
def test_the_next_time_is_later_and_matches(line: str, after: str, expected: str) -> None:
    found = next_fire(cron(line), datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_line_that_never_fires_gives_none() -> None:
    assert next_fire(cron("0 0 31 2 *"), datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_a_time_that_the_clocks_skip_does_not_fire() -> None:
    found = next_fire(cron("30 2 * * *"), datetime(2026, 3, 28, 12, tzinfo=BERLIN))
    assert found == datetime(2026, 3, 30, 2, 30, tzinfo=BERLIN)


def test_a_time_that_comes_twice_fires_once() -> None:
    first = next_fire(cron("30 2 * * *"), datetime(2026, 10, 25, 0, tzinfo=BERLIN))
    assert first is not None
    assert first.utcoffset() == timedelta(hours=2)
    assert next_fire(cron("30 2 * * *"), first) == datetime(2026, 10, 26, 2, 30, tzinfo=BERLIN)
    again = datetime(2026, 10, 25, 2, 20, tzinfo=BERLIN, fold=1)
    assert next_fire(cron("30 2 * * *"), again) == datetime(2026, 10, 26, 2, 30, tzinfo=BERLIN)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        next_fire(cron("* * * * *"), datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
