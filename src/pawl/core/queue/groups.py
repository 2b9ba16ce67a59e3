"""Concurrency groups: who has a group, who waits for it, who has to go.

One runs, one waits; a newer one takes the place of the one that waits (GitHub documentation, `concurrency`).
With `queue: max` many wait, first come, first served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pawl.core.model.records import GroupMember

MOST_WAITING = 100
"""How many may wait with `queue: max`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRule:
    """A `concurrency` with its values.

    Attributes:
        group: its name, in lower case: names are compared without regard to case.
        cancel_in_progress: whether a newcomer stops the one that runs.
        keeps_all: `queue: max`: those that wait are not superseded.
    """

    group: str
    cancel_in_progress: bool = False
    keeps_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What becomes of a newcomer, and of those that were there.

    Attributes:
        active: whether it has the group at once; else it waits.
        refused: there is no room to wait.
        stop: who has the group and is to stop.
        superseded: who waited and is not needed any more.
    """

    active: bool = False
    refused: bool = False
    stop: tuple[GroupMember, ...] = ()
    superseded: tuple[GroupMember, ...] = ()


def enter(members: Sequence[GroupMember], rule: GroupRule) -> Entry:
    """Return what happens when somebody comes who is not among the `members` yet."""
    active = tuple(member for member in members if member.active)
    waiting = tuple(member for member in members if not member.active)
    if not active and not waiting:
        return Entry(active=True)
    stop = active if rule.cancel_in_progress else ()
    if not rule.keeps_all:
        return Entry(stop=stop, superseded=waiting)
    return Entry(refused=True) if len(waiting) >= MOST_WAITING else Entry(stop=stop)


def next_in(members: Sequence[GroupMember]) -> GroupMember | None:
    """Return who gets the group now; None when somebody has it or nobody waits."""
    if any(member.active for member in members):
        return None
    return min(members, key=lambda member: (member.since, member.run, member.job or ""), default=None)
