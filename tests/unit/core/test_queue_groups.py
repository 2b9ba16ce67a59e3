"""Concurrency groups: who has it, who waits, who goes."""

from __future__ import annotations

from pawl.core.model.ids import JobId, RunId
from pawl.core.model.records import GroupMember
from pawl.core.queue.groups import MOST_WAITING, Entry, GroupRule, enter, next_in

RULE = GroupRule(group="g")


def _member(run: int, *, active: bool = False, job: str | None = None) -> GroupMember:
    name = JobId(job) if job else None
    return GroupMember(group="g", run=RunId(run), job=name, active=active, since=float(run))


def test_the_first_has_it() -> None:
    assert enter((), RULE) == Entry(active=True)


def test_the_second_waits() -> None:
    assert enter((_member(1, active=True),), RULE) == Entry()


def test_the_third_takes_the_place_of_the_second() -> None:
    waiting = _member(2)
    assert enter((_member(1, active=True), waiting), RULE) == Entry(superseded=(waiting,))


def test_cancel_in_progress_stops_the_first() -> None:
    active = _member(1, active=True)
    rule = GroupRule(group="g", cancel_in_progress=True)
    assert enter((active,), rule) == Entry(stop=(active,))


def test_with_queue_max_many_wait_up_to_a_limit() -> None:
    rule = GroupRule(group="g", keeps_all=True)
    members = (_member(1, active=True), *(_member(n) for n in range(2, MOST_WAITING + 1)))
    assert enter(members, rule) == Entry()
    assert enter((*members, _member(999)), rule) == Entry(refused=True)


def test_who_waits_longest_is_next() -> None:
    assert next_in((_member(3), _member(2, job="a"))) == _member(2, job="a")


def test_nobody_is_next_while_somebody_has_it() -> None:
    assert next_in((_member(1, active=True), _member(2))) is None
    assert next_in(()) is None
