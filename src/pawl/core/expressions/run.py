"""What one evaluation uses and how much it may."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pawl.core.expressions.failure import ExpressionError
from pawl.core.expressions.limits import Limits
from pawl.core.expressions.trace import TraceNode
from pawl.core.expressions.values import Value

Function = Callable[..., Value]
Part = Callable[["Run"], Value]
"""A compiled piece of an expression."""


class Run:
    """One evaluation: the values of names, the functions, what has been spent, the trace so far."""

    __slots__ = ("characters", "contexts", "functions", "limits", "steps", "traced")

    def __init__(
        self, contexts: Mapping[str, Value], functions: Mapping[str, Function], limits: Limits
    ) -> None:
        self.contexts = contexts
        self.functions = functions
        self.limits = limits
        self.steps = limits.steps
        self.characters = limits.characters
        self.traced: list[TraceNode] = []

    def spend(self, steps: int) -> None:
        """Account for work done; raise ExpressionError when the budget is used up."""
        self.steps -= steps
        if self.steps < 0:
            raise ExpressionError(f"the expression needs more than {self.limits.steps:,} steps")

    def spend_text(self, *texts: str) -> None:
        """Account for looking at every character of `texts`; beyond ASCII that is sixteen times dearer."""
        self.spend(1 + sum(len(text) >> (8 if text.isascii() else 4) for text in texts))

    def produce(self, characters: int) -> None:
        """Account for text about to be made; raise ExpressionError when the budget is used up."""
        self.characters -= characters
        if self.characters < 0:
            raise ExpressionError(
                f"the expression makes more than {self.limits.characters:,} characters of text"
            )
