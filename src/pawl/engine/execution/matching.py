"""The problem matchers of a job: steps add and remove them, and every line is shown to them."""

from __future__ import annotations

from collections.abc import Callable

from pawl.core.steps.annotations import Annotation


class NoMatching:
    """Asks nobody."""

    @property
    def active(self) -> bool:
        """Return False."""
        return False

    def feed(self, line: str) -> Annotation | None:  # noqa: ARG002 - nobody is asked
        """Return None."""
        return None


class JobMatchers:
    """All matchers of one job."""

    def add_file(self, path: str, tell: Callable[[str], None]) -> None:
        """Take the matchers of a file of the workspace."""

    def remove(self, owner: str | None, path: str | None) -> None:
        """Drop one."""

    def open(self) -> NoMatching:
        """Return the matchers for one process."""
        return NoMatching()
