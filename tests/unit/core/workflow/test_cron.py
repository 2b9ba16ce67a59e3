from __future__ import annotations

import pytest

from pawl.core.workflow.cron import Cron, CronProblem, parse_cron


def cron(text: str) -> Cron:
    parsed = parse_cron(text)
    assert isinstance(parsed, Cron), parsed
    return parsed


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("0 0 * * *", {0}),
        ("*/20 0 * * *", {0, 20, 40}),
        ("5-7 0 * * *", {5, 6, 7}),
        ("1,2,50-52 0 * * *", {1, 2, 50, 51, 52}),
        ("50/4 0 * * *", {50, 54, 58}),
        ("10-20/5 0 * * *", {10, 15, 20}),
        ("  3   0 * * * ", {3}),
    ],
)
def test_a_field_allows_its_numbers(text: str, minutes: set[int]) -> None:
    assert cron(text).minutes == minutes


def test_months_and_days_may_be_named_and_sunday_is_also_seven() -> None:
    named = cron("0 0 * jan-MAR Mon-fri")
    assert named.months == {1, 2, 3}
    assert named.weekdays == {1, 2, 3, 4, 5}
    assert cron("0 0 * * 7").weekdays == {0}
    assert cron("0 0 * * 5-7").weekdays == {5, 6, 0}
    assert cron("0 0 * * *").weekdays == set(range(7))


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("", 0),
        ("* * * *", 0),
        ("* * * * * *", 0),
        ("@daily", 0),
        ("60 * * * *", 0),
        ("* 24 * * *", 2),
        ("* * 0 * *", 4),
        ("* * * 13 *", 6),
        ("* * * * 8", 8),
        ("5-1 * * * *", 0),
        ("*/0 * * * *", 0),
        ("1,,2 * * * *", 0),
        ("1-2-3 * * * *", 0),
        ("* * * * foo", 8),
        ("1/2/3 * * * *", 0),
        ("-1 * * * *", 0),
        ("٣ * * * *", 0),
    ],
)
def test_a_line_that_is_no_cron_line_is_refused_at_its_field(text: str, offset: int) -> None:
    problem = parse_cron(text)
    assert isinstance(problem, CronProblem)
    assert problem.offset == offset


def test_a_huge_line_is_refused_at_once() -> None:
    assert isinstance(parse_cron("1," * 100_000), CronProblem)


def test_one_of_two_restricted_days_is_enough() -> None:
    both = cron("0 0 13 * 5")
    assert both.matches(0, 0, 13, 1, 1)
    assert both.matches(0, 0, 1, 1, 5)
    assert not both.matches(0, 0, 1, 1, 1)


def test_a_star_day_does_not_widen_the_other() -> None:
    assert not cron("0 0 13 * *").matches(0, 0, 12, 1, 1)
    assert not cron("0 0 * * 5").matches(0, 0, 13, 1, 4)
    assert cron("0 0 * * 0").matches(0, 0, 13, 1, 7)


def test_the_shortest_gap_looks_over_hours() -> None:
    assert cron("0,58 1,2 * * *").shortest_gap == 2
    assert cron("0 3 * * *").shortest_gap == 1440
