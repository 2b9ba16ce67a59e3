"""The line before the pack: which commit it holds."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

from pawl.core.model.errors import InfrastructureError, UsageError

_VERSION = 1
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a pack holds.

    Attributes:
        sha: the commit, as 40 or 64 hexadecimal digits.
        ref: the full name of the branch or tag it was found by, "" where there is none.
        repository: `owner/name`, "" where it is not known.
    """

    sha: str
    ref: str = ""
    repository: str = ""

    def to_line(self) -> bytes:
        """Return the header as one line of JSON."""
        return json.dumps({"pawl-source": _VERSION, **asdict(self)}).encode() + b"\n"


def parse_header(line: bytes) -> Header:
    """Return what a header's line says.

    Raises:
        InfrastructureError: it is none, or of a later version.
    """
    try:
        told = json.loads(line)
        version, sha, ref, repository = (told[key] for key in ("pawl-source", "sha", "ref", "repository"))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InfrastructureError("The packed source does not begin with its header") from error
    if version != _VERSION:
        raise InfrastructureError(
            "The packed source was made by another version of Pawl",
            hint="use one version of server and worker",
        )
    if not all(isinstance(text, str) for text in (sha, ref, repository)) or not _SHA.fullmatch(sha):
        raise InfrastructureError("The header of the packed source names no commit")
    return Header(sha=sha, ref=ref, repository=repository)


def checked_sha(sha: str) -> str:
    """Return a commit's whole id.

    Raises:
        UsageError: it is none.
    """
    if not _SHA.fullmatch(sha):
        raise UsageError(
            f"`{sha[:100]}` is not the whole id of a commit", hint="give 40 or 64 hexadecimal digits"
        )
    return sha
