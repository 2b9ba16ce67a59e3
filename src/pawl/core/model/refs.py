"""Names of refs, commits and repositories that outsiders chose: what may reach git, and what never does.

Source: git-check-ref-format(1). Stricter in one thing: no part begins with a dash, so that none is taken for
an option of git's.
"""

from __future__ import annotations

import re

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_LONGEST = 1000
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NO_COMMIT = re.compile(r"0{40}|0{64}")
_PART = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.~+-]*")
_LONGEST_REPOSITORY = 255


def ref_fault(name: str) -> str:
    """Return why git would not have this as a branch, tag or full ref; "" when it would."""
    if not name or len(name) > _LONGEST:
        return f"has {len(name)} characters; 1 to {_LONGEST} are allowed"
    if found := _FORBIDDEN.search(name):
        return f"holds {found[0]!r}"
    if not _is_text(name):
        return "is no Unicode text"
    if name == "@" or name.startswith("/") or name.endswith(("/", ".")):
        return f"begins or ends with {name[0] if name.startswith('/') else name[-1]!r}"
    for part in name.split("/"):
        if part.startswith((".", "-")):
            return f"has a part that begins with {part[0]!r}"
        if part.endswith(".lock"):
            return "has a part that ends with '.lock'"
    return ""


def full_ref_fault(name: str) -> str:
    """Return why this is no full ref (`refs/heads/main`); "" when it is one."""
    if fault := ref_fault(name):
        return fault
    return "" if name.startswith("refs/") and name.count("/") >= 2 else "does not begin with refs/ and a kind"


def is_commit(text: str) -> bool:
    """Return whether this is the full id of a commit; the zeros that stand for none are not."""
    return _COMMIT.fullmatch(text) is not None and not is_no_commit(text)


def is_no_commit(text: str) -> bool:
    """Return whether these are the zeros that forges send for a ref that was not there, or is no more."""
    return _NO_COMMIT.fullmatch(text) is not None


def repository_fault(name: str) -> str:
    """Return why this is no `owner/name` (or, with groups, `group/…/name`); "" when it is one."""
    if len(name) > _LONGEST_REPOSITORY:
        return f"has {len(name)} characters; {_LONGEST_REPOSITORY} are allowed"
    parts = name.split("/")
    if len(parts) < 2:
        return "is not of the form owner/name"
    for part in parts:
        if part in {"", ".", ".."} or _PART.fullmatch(part) is None:
            return f"has the part {part[:40]!r}"
    return ""


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
