"""The "did you mean" of every message, in one place."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """Return a hint naming the candidate closest to `word`, or None when none is close."""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    # difflib is quadratic in the word; no real name is this long.
    matches = get_close_matches(word.casefold()[:100], by_folded, n=1, cutoff=0.65)
    return f"did you mean `{by_folded[matches[0]]}`?" if matches else None
