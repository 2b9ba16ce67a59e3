"""`hashFiles(...)` without the walking and reading: which files, in which order, and what the hash is.

Source: actions/runner src/Misc/expressionFunc/hashFiles and HashFilesFunction.cs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from pawl.core.model.errors import UsageError
from pawl.core.steps.action_globs import DEFAULT_HOME, DEFAULT_WORKSPACE, parse_globs

FOLLOW_LINKS = "--follow-symbolic-links"


@dataclass(frozen=True, slots=True)
class HashFilesCall:
    """The arguments of one call: the patterns, and whether linked folders are entered."""

    patterns: tuple[str, ...]
    follow_links: bool


def parse_hashfiles(arguments: Sequence[str]) -> HashFilesCall:
    """Return the call with `arguments`, the string forms of the expression's arguments.

    Raises:
        UsageError: the first one is an option other than `--follow-symbolic-links`.
    """
    if not arguments or not arguments[0].startswith("--"):
        return HashFilesCall(tuple(arguments), follow_links=False)
    if arguments[0].lower() != FOLLOW_LINKS:
        raise UsageError(
            f"hashFiles does not know the option `{arguments[0][:100]}`; expected `{FOLLOW_LINKS}`"
        )
    return HashFilesCall(tuple(arguments[1:]), follow_links=True)


def match_hashfiles(
    patterns: Sequence[str],
    entries: Iterable[str],
    *,
    workspace: str = DEFAULT_WORKSPACE,
    home: str = DEFAULT_HOME,
) -> list[str]:
    """Return those of `entries` that `hashFiles(*patterns)` hashes, in hashing order.

    Args:
        patterns: one glob pattern or several lines of them each; without the option.
        entries: files of the workspace: relative paths with `/`; a link to a file counts as a file.
            Folders must not be among them.
        workspace: the absolute path patterns are relative to, as the job sees it.
        home: what a leading `~` stands for.

    Raises:
        UsageError: a pattern is not valid.
    """
    return parse_globs(patterns, workspace=workspace, home=home).select(entries)


def hash_of(digests: Iterable[bytes]) -> str:
    """Return the hash over the binary sha256 `digests` of the files in order, in hex; '' without files."""
    total = sha256()
    empty = True
    for digest in digests:
        total.update(digest)
        empty = False
    return "" if empty else total.hexdigest()
