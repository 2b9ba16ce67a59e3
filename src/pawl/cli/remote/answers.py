"""What a server answers, read with care: it may be of another version, so fields may be missing."""

from __future__ import annotations

from typing import Any

from pawl.core.model.errors import InfrastructureError
from pawl.core.model.plan import Json
from pawl.core.model.status import Conclusion


def rows(answer: Json, name: str) -> list[dict[str, Any]]:
    """Return the objects of a list, which may stand under `name`."""
    found = answer.get(name) if isinstance(answer, dict) else answer
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def record(answer: Json, name: str) -> dict[str, Any]:
    """Return the object of an answer, which may stand under `name`.

    Raises:
        InfrastructureError: it is none.
    """
    found = answer.get(name, answer) if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        raise InfrastructureError(
            f"the server's answer has no {name}", hint="is it of another version of Pawl?"
        )
    return found


def text(row: dict[str, Any], *names: str) -> str:
    """Return the first of these fields that says something, '' for none."""
    return next((str(row[name]) for name in names if row.get(name) not in (None, "")), "")


def number(row: dict[str, Any], *names: str) -> float | None:
    """Return the first of these fields that is a number."""
    for name in names:
        value = row.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None


def conclusion(row: dict[str, Any]) -> Conclusion | None:
    """Return how a run ended; None while it goes on, or when the word is not known."""
    try:
        return Conclusion(text(row, "conclusion"))
    except ValueError:
        return None
