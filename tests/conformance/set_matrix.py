"""Matrices: combinations in order and their default names, or an error."""

from __future__ import annotations

from typing import Any

from pawl.core.planning.matrix import expand_matrix


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when the case holds, else what differed."""
    expansion = expand_matrix(case["matrix"], case["job"])
    if case.get("error"):
        return None if expansion.errors else f"accepted, expected an error: {case['why']}"
    if expansion.errors:
        return f"refused: {expansion.errors[0]}"
    actual = [combination.values for combination in expansion.combinations]
    names = [combination.name for combination in expansion.combinations]
    if not _same(actual, case["expect"]["combinations"]):
        return f"combinations {actual}"
    return None if names == case["expect"]["names"] else f"names {names}"


def _same(left: Any, right: Any) -> bool:
    """Compare deep, with the order of keys and the difference between 1 and true."""
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return left == right and isinstance(left, bool) == isinstance(right, bool)
