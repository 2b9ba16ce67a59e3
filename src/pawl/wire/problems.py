"""Errors as problem details (RFC 9457) and back, so that both sides of a connection raise the same classes.

A problem's `type` is `/problems/<word>`; the words are those of `_KINDS`. `detail` is the error's message and
`hint` how to mend it. An offset conflict also has `size`, one to be tried again `retry_after`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from pawl.core.model.errors import (
    Conflict,
    Denied,
    InfrastructureError,
    InternalError,
    NotFound,
    OffsetConflict,
    PawlError,
    StaleLease,
    TooLarge,
    TransientError,
    Unavailable,
    UnsupportedBody,
    UsageError,
)
from pawl.core.model.plan import Json

PROBLEM_TYPE = "application/problem+json"
"""The content type of an answer that is a problem."""

_PREFIX = "/problems/"


class _Kind(NamedTuple):
    error: type[PawlError]
    word: str
    status: int
    title: str


_KINDS = (
    _Kind(OffsetConflict, "offset-conflict", 409, "The bytes do not go on where the stored ones end"),
    _Kind(StaleLease, "stale-lease", 409, "The lease is gone"),
    _Kind(Conflict, "conflict", 409, "It cannot be done in this state"),
    _Kind(TooLarge, "too-large", 413, "Too large"),
    _Kind(UnsupportedBody, "unsupported-body", 415, "The body comes in a form that is not read"),
    _Kind(NotFound, "not-found", 404, "Not found"),
    _Kind(Denied, "denied", 401, "Not allowed"),
    _Kind(UsageError, "usage", 400, "The request is wrong"),
    _Kind(Unavailable, "unavailable", 503, "Not available now"),
    _Kind(TransientError, "transient", 503, "Something the server depends on failed for now"),
    _Kind(InfrastructureError, "infrastructure", 500, "Something the server depends on failed"),
    _Kind(InternalError, "internal", 500, "A fault of the server's own"),
)
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504, 507})
"""Statuses of answers that are no problem of ours, from a proxy for instance, and worth another try."""


def problem_of(error: Exception) -> tuple[int, dict[str, Json]]:
    """Return status and body that tell of an error.

    Of one that is none of ours, they tell only that there is one.
    """
    kind = next((kind for kind in _KINDS if isinstance(error, kind.error)), _KINDS[-1])
    body: dict[str, Json] = {
        "type": _PREFIX + kind.word,
        "title": kind.title,
        "status": kind.status,
        "detail": error.message if isinstance(error, PawlError) else "the server's log says more",
    }
    if isinstance(error, PawlError) and error.hint:
        body["hint"] = error.hint
    match error:
        case OffsetConflict():
            body["size"] = error.size
        case Unavailable():
            body["retry_after"] = error.retry_after
            body["status"] = 507 if error.full else kind.status
        case Denied(known=True):
            body["status"] = 403
        case _:
            pass
    status = body["status"]
    return (status if isinstance(status, int) else kind.status), body


def error_of(status: int, body: Json) -> PawlError:
    """Return the error that an answer tells of; what is no problem of ours is judged by its status alone.

    Args:
        status: the answer's, 400 or more (or a redirect, which is never followed).
        body: its JSON, None when it has none.
    """
    told = body if isinstance(body, dict) else {}
    word = str(told.get("type", "")).removeprefix(_PREFIX)
    detail, hint = told.get("detail"), told.get("hint")
    message = str(detail) if detail else f"the server answered with status {status}"
    kind = next((kind.error for kind in _KINDS if kind.word == word), None) or _by_status(status)
    make = _WITH_MORE.get(kind)
    shown = str(hint) if hint else None
    return kind(message, hint=shown) if make is None else make(message, shown, status, told)


def is_problem(body: Json) -> bool:
    """Return whether the body of an answer is a problem of ours, and not of somebody else's making."""
    word = str(body.get("type", "")).removeprefix(_PREFIX) if isinstance(body, dict) else ""
    return any(kind.word == word for kind in _KINDS)


def _by_status(status: int) -> type[PawlError]:
    if status in _AGAIN:
        return Unavailable
    by_status: dict[int, type[PawlError]] = {
        401: Denied,
        403: Denied,
        404: NotFound,
        409: Conflict,
        413: TooLarge,
    }
    return by_status.get(status, InfrastructureError if status >= 500 else UsageError)


def _number(value: Json, default: float) -> float:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return max(0.0, float(value)) if sound and isinstance(value, int | float) else default


_WITH_MORE: dict[type[PawlError], Callable[[str, str | None, int, dict[str, Json]], PawlError]] = {
    OffsetConflict: lambda message, hint, _, told: OffsetConflict(
        message, hint=hint, size=int(_number(told.get("size"), 0))
    ),
    Unavailable: lambda message, hint, status, told: Unavailable(
        message, hint=hint, retry_after=_number(told.get("retry_after"), 1.0), full=status == 507
    ),
    Denied: lambda message, hint, status, _: Denied(message, hint=hint, known=status == 403),
}
