"""The limits of planning, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLimits:
    """How far planning goes.

    Attributes:
        combinations: jobs a matrix may make (GitHub documentation, usage limits: 256).
        combinations_warning: from this many on, a warning says so.
        product: combinations before excludes; refused above, whatever the excludes would leave.
        comparisons: how often values of combinations are compared with include and exclude entries.
        ancestors: needs of all jobs together, those through other jobs included.
        rendered_bytes: size of what a template may make, deep, in characters.
        depth: nesting of data that templates are rendered in.
    """

    combinations: int = 256
    combinations_warning: int = 50
    product: int = 16_384
    comparisons: int = 1_000_000
    ancestors: int = 3_000_000
    rendered_bytes: int = 1_048_576
    depth: int = 64


DEFAULT_LIMITS = PlanLimits()
