"""What a workflow file may cost. Every limit is here, so that each can be tested at its edge."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one file (reliability practice: GitHub's own where it has one, else generous).

    Attributes:
        size: bytes of a file in UTF-8.
        depth: how deep lists and mappings may be nested (GitHub: 50).
        nodes: scalars, lists and mappings after every alias has been put in.
        aliases: uses of `*name` in a file.
        diagnostics: errors reported, and as many warnings; a hopeless file is told so and no more.
        patterns: patterns of one filter.
        steps: steps of one job.
        implied_needs: needs that `stages` may stand for; two stages of n and m jobs make n times m.
        matrix: jobs one matrix may make (GitHub: 256).
        matrix_warning: from how many jobs a matrix draws a warning.
        calls: how deep reusable workflows may call each other (GitHub: 10 levels).
    """

    size: int = 1024 * 1024
    depth: int = 50
    nodes: int = 100_000
    aliases: int = 1000
    diagnostics: int = 500
    patterns: int = 1000
    steps: int = 1000
    implied_needs: int = 20_000
    matrix: int = 256
    matrix_warning: int = 50
    calls: int = 10


DEFAULT_LIMITS = Limits()
