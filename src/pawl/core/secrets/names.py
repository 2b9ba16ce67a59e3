"""Names and values of secrets and variables.

Source of the rule on names: GitHub docs, "Naming your secrets". The rule on values is Pawl's own: what is
shorter than four bytes cannot be masked without hiding half of a log.
"""

from __future__ import annotations

import re

LEAST_BYTES = 4
MAX_BYTES = 65_536
"""Of a secret's value, or a variable's, as UTF-8."""

_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,99}", re.ASCII)
_RESERVED = "GITHUB_"
_ENVIRONMENT = re.compile(r"[^\x00-\x1f\x7f'\"`,;\\]{1,255}")


def folded(name: str) -> str:
    """Return a name as it is kept: upper and lower case are one."""
    return name.upper()


def name_fault(name: str) -> str:
    """Return why a secret or variable cannot be called so; "" when it can."""
    kept = folded(name)
    if not name.isascii() or _NAME.fullmatch(kept) is None:
        return "a name has 1 to 100 letters, digits and `_`, and does not begin with a digit"
    if kept.startswith(_RESERVED):
        return f"names that begin with `{_RESERVED}` are taken"
    return ""


def environment_fault(name: str) -> str:
    """Return why an environment cannot be called so; "" when it can."""
    if _ENVIRONMENT.fullmatch(name) is None or name != name.strip():
        return "an environment's name has 1 to 255 characters and neither quotes, commas nor line ends"
    return ""


def value_fault(value: str, *, secret: bool) -> str:
    """Return why this cannot be a value; "" when it can. The value is never part of what is returned."""
    if "\x00" in value:
        return "a value cannot hold a zero byte, as no environment variable can"
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return "the value is no Unicode text"
    if size > MAX_BYTES:
        return f"the value has {size:,} bytes: at most {MAX_BYTES:,} are kept"
    if secret and len(value.strip().encode()) < LEAST_BYTES:
        return f"a secret has at least {LEAST_BYTES} bytes besides blanks: a shorter one cannot be masked"
    return ""
