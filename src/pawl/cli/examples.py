"""A command whose help ends with examples: what to type, and what it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click


class ExampleCommand(click.Command):
    """A command with an `Examples` section in its help."""

    def __init__(self, *args: Any, examples: Sequence[tuple[str, str]] = (), **keywords: Any) -> None:
        """Take `examples` beside everything click.Command takes."""
        super().__init__(*args, **keywords)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then click's own epilog."""
        write_examples(self.examples, formatter)
        super().format_epilog(ctx, formatter)


class ExampleGroup(ExampleCommand, click.Group):
    """A command that has commands of its own."""


def write_examples(examples: Sequence[tuple[str, str]], formatter: click.HelpFormatter) -> None:
    """Write each example: what it does, and below it what to type."""
    if not examples:
        return
    with formatter.section("Examples"):
        formatter.write_dl([(typed, what) for typed, what in examples], col_max=44)
