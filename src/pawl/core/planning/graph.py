"""The graph of needs: order, ancestors, cycles. All of it depends on the file only."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=str)


def topological_order(needs: Mapping[Key, Sequence[Key]]) -> tuple[Key, ...]:
    """Return the keys so that each comes after all it needs; of several that could come, the first written.

    Keys in a cycle, and all that need one, are left out.
    """
    place = {key: index for index, key in enumerate(needs)}
    keys = list(needs)
    missing = {key: len(set(of)) for key, of in needs.items()}
    needed_by: dict[Key, list[Key]] = {key: [] for key in needs}
    for key, of in needs.items():
        for need in dict.fromkeys(of):
            needed_by[need].append(key)
    ready = [place[key] for key, count in missing.items() if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        key = keys[heapq.heappop(ready)]
        order.append(key)
        for dependent in needed_by[key]:
            missing[dependent] -= 1
            if not missing[dependent]:
                heapq.heappush(ready, place[dependent])
    return tuple(order)


def find_cycle(needs: Mapping[Key, Sequence[Key]]) -> tuple[Key, ...]:
    """Return a cycle, beginning and ending with its first written key; empty when there is none."""
    settled = set(topological_order(needs))
    place = {key: index for index, key in enumerate(needs)}
    rest = [key for key in needs if key not in settled]
    if not rest:
        return ()
    # Every key left needs another one left, so following them must come round.
    path = [rest[0]]
    seen = {rest[0]: 0}
    while True:
        following = next(need for need in needs[path[-1]] if need not in settled)
        if following in seen:
            cycle = path[seen[following] :]
            first = min(range(len(cycle)), key=lambda index: place[cycle[index]])
            return (*cycle[first:], *cycle[:first], cycle[first])
        seen[following] = len(path)
        path.append(following)


def all_ancestors(
    order: Sequence[Key], needs: Mapping[Key, Sequence[Key]], most: int
) -> dict[Key, tuple[Key, ...]] | None:
    """Return all transitive needs of each key, in topological order; None if they are more than `most`."""
    place = {key: index for index, key in enumerate(order)}
    # Sets as bit masks: a chain of thousands of jobs stays cheap.
    masks: dict[Key, int] = {}
    count = 0
    for key in order:
        mask = 0
        for need in needs[key]:
            mask |= masks[need] | 1 << place[need]
        masks[key] = mask
        count += mask.bit_count()
        if count > most:
            return None
    found: dict[Key, tuple[Key, ...]] = {}
    for key, mask in masks.items():
        of = needs[key]
        # What the one need of a job needs comes before it anyway.
        found[key] = (*found[of[0]], of[0]) if len(of) == 1 else _members(mask, order)
    return found


def _members(mask: int, order: Sequence[Key]) -> tuple[Key, ...]:
    members = []
    while mask:
        bit = mask & -mask
        members.append(order[bit.bit_length() - 1])
        mask ^= bit
    return tuple(members)
