"""Whether a run broke its branch or fixed it: the run against the last one of its workflow and ref. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pawl.core.model.records import RunRecord
from pawl.core.model.reporting import Streak, Told
from pawl.core.model.status import Conclusion

_FAILED = frozenset({Conclusion.FAILURE, Conclusion.TIMED_OUT})


class Change(StrEnum):
    """What a run changed."""

    BROKEN = "broken"
    STILL_BROKEN = "still_broken"
    FIXED = "fixed"
    NONE = "none"
    """It works as before, says nothing (cancelled, skipped), or a newer run has ended before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a run changed; `since` is the number of the first run that failed, where one did."""

    change: Change
    since: int | None = None


def follow(last: Streak | None, run: RunRecord) -> tuple[News, Streak | None]:
    """Return what a run that has ended changed, and the streak to remember; None to leave that as it is."""
    failed = run.conclusion in _FAILED
    late = last is not None and last.run > run.id
    if late or not (failed or run.conclusion is Conclusion.SUCCESS):
        return News(change=Change.NONE), None
    broken_since = last.failing_since if last is not None else None
    if not failed:
        news = News(change=Change.NONE if broken_since is None else Change.FIXED, since=broken_since)
        since = None
    else:
        change = Change.BROKEN if broken_since is None else Change.STILL_BROKEN
        since = run.number if broken_since is None else broken_since
        news = News(change=change, since=since)
    streak = Streak(
        project=run.repository,
        path=run.path,
        ref=run.ref,
        run=run.id,
        number=run.number,
        failing_since=since,
        ended_at=run.completed_at or run.created_at,
    )
    return news, streak


def is_told(told: Told, conclusion: Conclusion | None, news: News) -> bool:
    """Return whether somebody who wants to be told so is told of a run's end."""
    match told:
        case Told.ALWAYS:
            return True
        case Told.FAILURES:
            return conclusion in _FAILED
        case Told.CHANGES:
            return news.change in {Change.BROKEN, Change.FIXED}


def news_text(news: News, number: int) -> str:
    """Return what changed in words: `broken by #12`, `broken since #12`, `fixed by #15`; "" for nothing."""
    match news.change:
        case Change.BROKEN:
            return f"broken by #{number}"
        case Change.STILL_BROKEN:
            return f"broken since #{news.since}"
        case Change.FIXED:
            return f"fixed by #{number}, broken since #{news.since}"
        case Change.NONE:
            return ""
