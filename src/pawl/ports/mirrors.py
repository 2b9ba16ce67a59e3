"""Mirrors: bare copies of repositories, fetched incrementally (architecture.md M11)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a mirror is fetched from.

    Attributes:
        name: `owner/name`: one mirror a name.
        url: an `https:` or `ssh:` URL without user and password.
        user, secret: of HTTP basic authentication; they reach git by its environment only, never by its
            command line or a file.
    """

    name: str
    url: str
    user: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowText:
    """A workflow file at a commit."""

    path: str
    text: str


class Mirrors(Protocol):
    """The mirrors of a server. A mirror is fetched once at a time; those that wait share it."""

    async def fetch(self, origin: Origin, *, wanted: str = "") -> None:
        """Bring a mirror up to date; with `wanted`, a commit, nothing is done where that is there already.

        A mirror that is damaged is set aside and made anew. A fetch that fails leaves a mirror as it was.

        Raises:
            TransientError: the host cannot be reached, is too slow, or broke off.
            Denied: it refuses the credentials.
            NotFound: there is no such repository, or after fetching still no commit `wanted`.
            TooLarge: the repository is.
            UsageError: the URL is none that may be fetched from, the host sends elsewhere, or the repository
                holds objects that are made to attack git.
        """

    async def resolve(self, name: str, ref: str) -> str | None:
        """Return the commit of a full ref or a full id, None when it is not there; no network."""

    async def heads(self, origin: Origin) -> Mapping[str, str]:
        """Return the commits of the host by full ref; fetches nothing, raises as `fetch`."""

    async def workflows(self, name: str, sha: str) -> tuple[WorkflowText, ...]:
        """Return the workflow files at a commit, in the order of `core.workflow.files`; no network.

        Here and below: a mirror that cannot be read is made anew by the next fetch.

        Raises:
            NotFound: the commit is not there.
            TooLarge: a file is, or there are too many.
            UsageError: a file is no text, or a link.
            TransientError: the mirror cannot be read.
        """

    async def file(self, name: str, sha: str, path: str, most: int) -> bytes | None:
        """Return a file at a commit, None when there is none; raises as `workflows`."""

    async def message(self, name: str, sha: str) -> str:
        """Return a commit's message; raises as `workflows`."""

    async def changed_files(
        self, name: str, before: str, after: str, *, merge_base: bool
    ) -> tuple[str, ...] | None:
        """Return the paths that differ, both names of a rename; None when a commit is missing.

        Args:
            name: of the mirror.
            before: a commit; all zeros for a new ref: then against the merge base with the default branch, or
                against nothing where that is the only branch there is.
            after: a commit.
            merge_base: three-dot, as pull requests count; else two-dot, as pushes do.
        """

    async def is_ancestor(self, name: str, older: str, newer: str) -> bool:
        """Return whether `older` is reached from `newer`."""

    def pack(self, name: str, sha: str, *, ref: str = "", depth: int = 1) -> AsyncGenerator[bytes]:
        """Yield a commit's files, packed as adapters/git/pack does; `depth` 0 is the whole history.

        Raises: as `workflows`.
        """
