"""The one exception of the expression language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pawl.core.diagnostics import Diagnostic, Position, Span
from pawl.core.model.errors import PawlError

Locate = Callable[[int], Position]
"""Maps an offset in an expression's text to its place in the file."""


class ExpressionError(PawlError):
    """An expression cannot be parsed or evaluated.

    Attributes:
        kind: `syntax` when the fault is there before any value is looked at (grammar, unknown names,
            arity, limits of the text), `evaluation` when it depends on values.
        message: what is wrong, without the place.
        code: stable code, as in a diagnostic.
        offset, length: the faulty piece of the expression's text; offset is None while unknown.
        position: the faulty place in the file, once known.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: Literal["syntax", "evaluation"] = "evaluation",
        code: str = "expression-evaluation",
        offset: int | None = None,
        length: int = 1,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.message = message
        self.kind: Literal["syntax", "evaluation"] = kind
        self.code = code
        self.offset = offset
        self.length = length
        self.position: Position | None = None

    def __str__(self) -> str:
        return self.message if self.position is None else f"{self.message} (at {self.position})"

    def placed(self, locate: Locate) -> ExpressionError:
        """Return the same error knowing its place in the file."""
        if self.position is None:
            self.position = locate(self.offset or 0)
        return self

    def diagnostic(self, locate: Locate) -> Diagnostic:
        """Return the error as a finding in the file."""
        offset = self.offset or 0
        span = Span(locate(offset), locate(offset + self.length))
        return Diagnostic(code=self.code, message=self.message, span=span, hint=self.hint)


def syntax_fault(
    message: str, offset: int, length: int = 1, *, code: str = "expression-syntax", hint: str | None = None
) -> ExpressionError:
    """Return an error that was there before any value was looked at."""
    return ExpressionError(message, kind="syntax", code=code, offset=offset, length=length, hint=hint)
