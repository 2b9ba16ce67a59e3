"""Problem matchers: which files are valid, and what they find line by line."""

from __future__ import annotations

from typing import Any

from pawl.core.steps.matchers import MatcherError, MatcherState, parse_matchers


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when the case passes, else what differs."""
    try:
        matchers = parse_matchers(case["config"])
    except MatcherError as fault:
        return None if case.get("valid") is False else str(fault)
    if case["kind"] == "config":
        return None if case["valid"] else "accepted, expected it to be refused"
    state = MatcherState.start(matchers[0])
    for step in case["lines"]:
        state, problem = state.feed(step["line"])
        if "match" not in step:
            continue
        expected = step["match"]
        if (problem is None) != (expected is None):
            return f"{step['line']!r}: found {problem!r}, expected {expected!r}"
        if problem is None:
            continue
        found = {name: problem.values.get(name) for name in expected}
        if found != expected:
            return f"{step['line']!r}: found {found!r}, expected {expected!r}"
    return None
