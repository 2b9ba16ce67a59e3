"""Whether a commit's message asks that nothing be started for it.

Source: GitHub documentation, "Skipping workflow runs".
"""

from __future__ import annotations

import re

from pawl.core.model.events import Event

SKIP_MARKS = ("[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]")
"""Anywhere in the message, in any case."""

_SKIPPABLE = frozenset({"push", "pull_request"})
_MARKS = re.compile("|".join(re.escape(mark) for mark in SKIP_MARKS), re.IGNORECASE)
_TRAILER = re.compile(r"skip-checks: *true", re.IGNORECASE)
_ANY_TRAILER = re.compile(r"[A-Za-z0-9-]+:.*")


def skip_reason(event: Event) -> str:
    """Return why the message of the event's commit keeps it from starting anything; "" when it does not.

    Only pushes and pull requests can be kept from starting; for a pull request it is the message of its head.
    The trailer `skip-checks: true` must stand last, in a block of trailers after two empty lines.
    """
    if event.name not in _SKIPPABLE or not event.message:
        return ""
    if found := _MARKS.search(event.message):
        return f"the commit's message says `{found[0].lower()}`"
    if _has_trailer(event.message):
        return "the commit's message ends with `skip-checks: true`"
    return ""


def _has_trailer(message: str) -> bool:
    lines = message.replace("\r\n", "\n").rstrip().split("\n")
    if _TRAILER.fullmatch(lines[-1].rstrip()) is None:
        return False
    while lines and _ANY_TRAILER.fullmatch(lines[-1]):
        lines.pop()
    return len(lines) >= 3 and not lines[-1].strip() and not lines[-2].strip()
