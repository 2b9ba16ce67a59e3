"""Every bound of the expression language in one value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one expression may cost.

    Attributes:
        length: characters of the text (actions/runner ExpressionConstants.MaxLength).
        depth: levels of the tree (actions/runner ExpressionConstants.MaxDepth).
        steps: units of work: one a call, one an element looked at, one per 256 characters looked at.
        characters: characters of text that functions may produce in one evaluation (10 MiB, as the
            runner's MaxResultSize).
        elements: values that one fromJSON may create.
        data_depth: levels of nesting of a value (actions/runner JsonParser MaxDepth).
    """

    length: int = 21_000
    depth: int = 50
    steps: int = 1_000_000
    characters: int = 10 * 1024 * 1024
    elements: int = 200_000
    data_depth: int = 100


DEFAULT_LIMITS = Limits()
