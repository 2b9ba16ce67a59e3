"""Filter patterns of branches, tags and paths."""

from __future__ import annotations

from typing import Any

from pawl.core.workflow.patterns import Pattern, check_pattern, is_included


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when the case holds, else what differed."""
    kind = case["kind"]
    if kind.startswith("validate-"):
        return _check_validity(case, kind.removeprefix("validate-"))
    patterns = [Pattern(text) for text in case["patterns"]]
    if kind in {"branch", "path"}:
        actual, expected = is_included(patterns, case["ref"]), case["match"]
    else:
        wanted = kind == "paths"
        actual = any(is_included(patterns, file) == wanted for file in case["files"])
        expected = case["run"]
    return None if actual == expected else f"{actual}, expected {expected}"


def _check_validity(case: dict[str, Any], kind: Any) -> str | None:
    problems = check_pattern(case["pattern"], kind)
    if case["valid"]:
        return None if not problems else f"refused: {problems[0].message}"
    if not problems:
        return "accepted"
    rejected = any(problem.is_error for problem in problems)
    return None if rejected == (case["level"] == "error") else f"{problems}, expected level {case['level']}"
