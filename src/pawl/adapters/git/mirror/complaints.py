"""What git says on its standard error when a fetch fails, as one of our errors; credentials stay out."""

from __future__ import annotations

import re
from collections.abc import Callable

from pawl.adapters.git.mirror.origins import authorization
from pawl.core.model.errors import (
    Denied,
    InfrastructureError,
    NotFound,
    PawlError,
    TransientError,
    UsageError,
)
from pawl.ports.mirrors import Origin

_USERINFO = re.compile(r"//[^/@\s']+@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_LONGEST = 300

_DENIED = re.compile(
    r"Authentication failed|could not read (?:Username|Password)|returned error: 40[13]\b"
    r"|Permission denied|Access denied|Host key verification failed",
    re.IGNORECASE,
)
_MISSING = re.compile(
    r"repository '.*' not found|repository not found|returned error: (?:404|410)\b|does not exist"
    r"|does not appear to be a git repository",
    re.IGNORECASE,
)
_REDIRECTED = re.compile(r"returned error: 30\d\b")
_REFUSED = re.compile(r"transport '.*' not allowed|unable to find remote helper", re.IGNORECASE)
_AWAY = re.compile(
    r"unable to access|Could not resolve|Failed to connect|Connection (?:refused|reset|timed out|closed)"
    r"|Operation too slow|timed out|early EOF|RPC failed|unexpected disconnect|hung up|returned error: \d+"
    r"|told nothing for|expected flush|invalid server response|protocol error|bad line length",
    re.IGNORECASE,
)
_UNSOUND = re.compile(r"^.*fsck error.*$|^error: object [0-9a-f]{40,64}: .*$", re.MULTILINE)
_SENT_BADLY = re.compile(
    r"bad pack|index-pack failed|remote error|not our ref|pack has bad object|bad pack header"
    r"|does not allow request for",
    re.IGNORECASE,
)
_DAMAGED = re.compile(
    r"corrupt|inflate|bad object|unable to read|could not read|cannot be read|missing (?:blob|tree|commit)"
    r"|invalid object|packfile|index file|not a git repository|unable to parse object",
    re.IGNORECASE,
)
_FULL = re.compile(r"No space left on device|Disk quota exceeded|Permission denied$", re.MULTILINE)


def from_complaint(said: str, origin: Origin) -> PawlError | None:
    """Return the error that a complaint of git means; None where the mirror itself may be damaged."""
    line = last_line(said, origin)
    of = f"`{origin.name}`"
    kinds: tuple[tuple[re.Pattern[str], Callable[[], PawlError]], ...] = (
        (_FULL, lambda: InfrastructureError(
            f"The mirror of {of} cannot be written: {line}", hint="free some disk space")),
        (_REFUSED, lambda: UsageError(f"{of} may not be fetched: {line}")),
        (_REDIRECTED, lambda: UsageError(
            f"The host of {of} sends elsewhere: {line}", hint="give the URL that it leads to")),
        (_DENIED, lambda: Denied(
            f"The host of {of} refuses: {line}", hint="check the user and token of the repository")),
        (_MISSING, lambda: NotFound(
            f"There is no repository {of} at its host, or the token may not see it: {line}",
            hint="check the URL and the token")),
        (_UNSOUND, lambda: UsageError(
            f"{of} holds what git takes for an attack or for damage: {_first(_UNSOUND, said, origin)}",
            hint="take it out of the repository's history")),
        (_SENT_BADLY, lambda: TransientError(f"What the host of {of} sent is refused: {line}")),
        (_AWAY, lambda: TransientError(f"{of} cannot be fetched: {line}")),
    )  # fmt: skip
    return next((make() for pattern, make in kinds if pattern.search(said)), None)


def is_damage(said: str) -> bool:
    """Return whether a complaint is about objects that cannot be read."""
    return _DAMAGED.search(said) is not None


def last_line(said: str, origin: Origin) -> str:
    """Return what git said last, of harmless characters, without credentials."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "ERROR:"))]
    line = (told or lines or ["no reason was given"])[-1]
    return clean(line, origin)[:_LONGEST]


def _first(pattern: re.Pattern[str], said: str, origin: Origin) -> str:
    found = pattern.search(said)
    return clean(found[0] if found else "", origin)[:_LONGEST]


def clean(text: str, origin: Origin) -> str:
    """Return a text without an origin's credentials and without control characters."""
    text = _USERINFO.sub("//", text)
    if origin.secret:
        for needle in (origin.secret, authorization(origin).rpartition(" ")[2]):
            text = text.replace(needle, "***")
    return _CONTROL.sub(" ", text)
