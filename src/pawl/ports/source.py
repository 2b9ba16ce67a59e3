"""The source: where the repository's files come from, for the workspace and for workflow files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pawl.core.steps.checkout import Checkout


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What the source stands at.

    Attributes:
        sha: the commit, or 40 zeros where there is none.
        branch: the branch's short name, or None when detached or not known.
        tag: a tag at that commit, or None.
        dirty: whether files differ from the commit.
        repository: `owner/name` from the remote's URL, or `local/<folder>`.
        default_branch: short name, `main` where it is not known.
        author: name and address of the commit's author.
        message: the commit's message.
    """

    sha: str
    branch: str | None
    tag: str | None
    dirty: bool
    repository: str
    default_branch: str
    author: str = ""
    message: str = ""


class Source(Protocol):
    """A repository's files. `pawl run` has the working tree; the server has a mirror and a commit."""

    async def state(self) -> SourceState:
        """Return what it stands at."""

    async def changed_files(self, base: str | None) -> tuple[str, ...] | None:
        """Return the paths that differ from `base` (default: the merge base with the default branch).

        Uncommitted and untracked files count. None when it cannot be told.
        """

    async def copy_to(self, folder: Path, *, subfolder: str = "", wanted: Checkout | None = None) -> int:
        """Fill an existing, empty folder with the files and return how many there are.

        With `wanted`, of which `remarks` says what this source does not do, else as the source has them.

        Ignored files stay out, uncommitted changes come along, links and modes are kept, the history too
        where it can be had cheaply. The source itself is never written to.
        """

    async def at(self, ref: str) -> Source | None:
        """Return the same repository at another branch, tag or commit; None for a source that has only one.

        Raises:
            NotFound: there is no such ref.
            PawlError: it cannot be asked for.
        """

    def remarks(self, wanted: Checkout) -> tuple[str, ...]:
        """Return what of `wanted` this source does not do, a sentence without a full stop each."""
