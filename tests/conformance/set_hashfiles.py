"""hashFiles(): which files are hashed, in which order, and the hash over them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from pawl.core.steps.hashfiles import hash_of, match_hashfiles, parse_hashfiles


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when the case passes, else what differs."""
    tree = data["trees"][case["tree"]]
    call = parse_hashfiles(case["patterns"])
    matched = match_hashfiles(call.patterns, tree)
    result = hash_of(sha256(tree[path].encode()).digest() for path in matched)
    expected = case["expect"]
    if matched != expected["matched"]:
        return f"matched {matched}, expected {expected['matched']}"
    return None if result == expected["hash"] else f"hash {result}, expected {expected['hash']}"
