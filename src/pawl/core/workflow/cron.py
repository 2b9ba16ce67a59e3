"""Cron lines of `schedule`: five fields, as POSIX cron and GitHub read them.

Source: GitHub docs, "Events that trigger workflows", `schedule`; actions/languageservices, converter/cron.ts:
`,` binds weaker than `/`, and that weaker than `-`; months and days may be named; Sunday is 0, here also 7.
`@daily` and the like are not known to GitHub and are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_DAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_DAYS = {name: number for number, name in enumerate(_DAY_NAMES)}
_MAX_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    least: int
    most: int
    words: dict[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _DAYS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """The times of one cron line, each field as the numbers it allows (days of week from Sunday, 0)."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_any_day: bool
    is_any_weekday: bool

    def matches(self, minute: int, hour: int, dom: int, month: int, dow: int) -> bool:
        """Return whether the line fires at this minute; `dow` counts from Sunday, 0.

        When both days are restricted, one of them is enough (POSIX crontab).
        """
        if minute not in self.minutes or hour not in self.hours or month not in self.months:
            return False
        by_day, by_weekday = dom in self.days, dow % 7 in self.weekdays
        if self.is_any_day or self.is_any_weekday:
            return by_day and by_weekday
        return by_day or by_weekday

    @property
    def shortest_gap(self) -> int:
        """The fewest minutes between two times on one day, 1440 when there is only one a day."""
        times = sorted(hour * 60 + minute for hour in self.hours for minute in self.minutes)
        return min((after - before for before, after in pairwise(times)), default=1440)


@dataclass(frozen=True, slots=True)
class CronProblem:
    """What is wrong with a line, at which character (from 0)."""

    offset: int
    message: str


def parse_cron(text: str) -> Cron | CronProblem:
    """Return the times of a cron line, or the first thing that is wrong with it."""
    if len(text) > _MAX_LENGTH:
        return CronProblem(0, f"a cron line is shorter than {_MAX_LENGTH} characters")
    parts = _parts(text)
    if len(parts) != len(_FIELDS):
        fields = ", ".join(kind.name for kind in _FIELDS)
        return CronProblem(0, f"found {len(parts)} fields, expected five: {fields}")
    values: list[frozenset[int]] = []
    for kind, (offset, part) in zip(_FIELDS, parts, strict=True):
        allowed = _list(part, kind)
        if allowed is None:
            names = " or a short English name" if kind.words else ""
            message = (
                f"found `{part}` as the {kind.name}, expected numbers from {kind.least} to {kind.most}{names}"
            )
            return CronProblem(offset, f"{message}, with `*`, `,`, `-` and `/`")
        values.append(allowed)
    return Cron(
        minutes=values[0],
        hours=values[1],
        days=values[2],
        months=values[3],
        weekdays=frozenset(day % 7 for day in values[4]),
        is_any_day=parts[2][1].startswith("*"),
        is_any_weekday=parts[4][1].startswith("*"),
    )


def _parts(text: str) -> list[tuple[int, str]]:
    parts, offset = [], 0
    for part in text.split(" "):
        if part:
            parts.append((offset, part))
        offset += len(part) + 1
    return parts


def _list(text: str, kind: _Field) -> frozenset[int] | None:
    result: set[int] = set()
    for part in text.split(","):
        numbers = _steps(part, kind)
        if numbers is None:
            return None
        result.update(numbers)
    return frozenset(result)


def _steps(text: str, kind: _Field) -> range | None:
    base, slash, step_text = text.partition("/")
    numbers = _range(base, kind)
    if numbers is None or not slash:
        return numbers
    step = _number(step_text, kind)
    if step is None or step == 0:
        return None
    # A single number with a step runs to the end of the field: `3/10` is 3, 13, 23, ...
    last = kind.most if "-" not in base else numbers[-1]
    return range(numbers[0], last + 1, step)


def _range(text: str, kind: _Field) -> range | None:
    if text == "*":
        # Seven is another name of Sunday, not a day of its own.
        return range(kind.least, min(kind.most, 6) + 1 if kind.words is _DAYS else kind.most + 1)
    first_text, dash, last_text = text.partition("-")
    first = _number(first_text, kind)
    last = _number(last_text, kind) if dash else first
    if first is None or last is None or last < first:
        return None
    return range(first, last + 1)


def _number(text: str, kind: _Field) -> int | None:
    if (named := kind.words.get(text.upper())) is not None:
        return named
    if not (text.isascii() and text.isdigit()) or len(text) > 4:
        return None
    number = int(text)
    return number if kind.least <= number <= kind.most else None
