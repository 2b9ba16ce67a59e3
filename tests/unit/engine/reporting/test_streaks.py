"""Whether a run broke its branch or fixed it."""

from __future__ import annotations

import pytest

from pawl.core.model.ids import RunId
from pawl.core.model.records import RunRecord
from pawl.core.model.reporting import Streak, Told
from pawl.core.model.status import Conclusion, Status
from pawl.engine.reporting.streaks import Change, News, follow, is_told, news_text


def run(number: int, conclusion: str) -> RunRecord:
    return RunRecord(
        id=RunId(number),
        number=number,
        repository="acme/site",
        path="ci.yml",
        name="CI",
        run_name="x",
        event="push",
        ref="refs/heads/main",
        sha="a" * 40,
        actor="ann",
        correlation="c",
        created_at=1.0,
        status=Status.COMPLETED,
        conclusion=Conclusion(conclusion),
        completed_at=float(number),
    )


@pytest.mark.parametrize(
    ("story", "words"),
    [
        ("s", [""]),
        ("f", ["broken by #1"]),
        ("sfs", ["", "broken by #2", "fixed by #3, broken since #2"]),
        ("ffts", ["broken by #1", "broken since #1", "broken since #1", "fixed by #4, broken since #1"]),
        ("fcks", ["broken by #1", "", "", "fixed by #4, broken since #1"]),
        ("sss", ["", "", ""]),
        ("fsf", ["broken by #1", "fixed by #2, broken since #1", "broken by #3"]),
    ],
)
def test_each_run_is_compared_with_the_last_that_says_something(story: str, words: list[str]) -> None:
    names = {"s": "success", "f": "failure", "t": "timed_out", "c": "cancelled", "k": "skipped"}
    last: Streak | None = None
    told = []
    for number, letter in enumerate(story, 1):
        news, streak = follow(last, run(number, names[letter]))
        last = streak or last
        told.append(news_text(news, number))
    assert told == words


def test_a_run_that_ends_after_a_newer_one_changes_nothing() -> None:
    _, last = follow(None, run(2, "success"))
    assert follow(last, run(1, "failure")) == (News(change=Change.NONE), None)


def test_a_rerun_of_the_same_run_is_compared_with_its_first_attempt() -> None:
    _, last = follow(None, run(2, "failure"))
    assert follow(last, run(2, "failure"))[0] == News(change=Change.STILL_BROKEN, since=2)
    assert follow(last, run(2, "success"))[0] == News(change=Change.FIXED, since=2)


@pytest.mark.parametrize("conclusion", list(Conclusion))
@pytest.mark.parametrize("change", list(Change))
def test_who_hears_of_what(conclusion: Conclusion, change: Change) -> None:
    news = News(change=change)
    assert is_told(Told.ALWAYS, conclusion, news)
    assert is_told(Told.FAILURES, conclusion, news) == (conclusion.value in {"failure", "timed_out"})
    assert is_told(Told.CHANGES, conclusion, news) == (change.value in {"broken", "fixed"})
