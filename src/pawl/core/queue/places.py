"""An attempt's place in the queue: one number, made once (architecture.md M2).

    queue_key = start of its repository's turn - head start

The queue is ordered by it, smallest first. A head start is a number of seconds, so it is strict priority for
that long and ageing from then on: whatever waits is overtaken only by what comes within its own head start.
The turns of a repository follow each other at a distance (start-time fair queueing), so one that asks for a
thousand jobs at once does not hold up another that asks for one.
"""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_PRIORITY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadStarts:
    """What brings an attempt forward, in seconds.

    Attributes:
        tag: for a run of a tag.
        default_branch: for a run of the repository's default branch.
        step: for each step of a workflow's, job's or person's priority (-100 to 100 in all).
        spacing: between two turns of a repository.
        longest_turn: how far the turns of a repository may run ahead of the time.
    """

    tag: float = 300.0
    default_branch: float = 120.0
    step: float = 60.0
    spacing: float = 2.0
    longest_turn: float = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place: its key, and when the repository's next turn begins."""

    key: float
    next_turn: float


def place(rules: HeadStarts, *, now: float, turn: float | None, head_start: float) -> Place:
    """Return the place of an attempt that is queued `now`.

    Args:
        rules: the distances.
        now: the time.
        turn: when the repository's next turn begins, as the last place said; None before its first.
        head_start: as `head_start` gives it.
    """
    begins = min(max(now, turn if turn is not None else now), now + rules.longest_turn)
    return Place(key=begins - head_start, next_turn=begins + rules.spacing)


def head_start(rules: HeadStarts, *, is_tag: bool, is_default_branch: bool, priority: int) -> float:
    """Return the seconds by which an attempt is brought forward; below 0 it is put back."""
    by_ref = rules.tag if is_tag else rules.default_branch if is_default_branch else 0.0
    return by_ref + rules.step * max(-LARGEST_PRIORITY, min(priority, LARGEST_PRIORITY))
