"""Variables in fields that no shell sees: `$NAME`, `${NAME}`, `${NAME:-default}` (requirement L5).

`${matrix.os}`, which the original design has, is `${MATRIX_OS}`.

They are Pawl's own and are read only where GitHub would take a `$` as itself and nobody means one: images
(`container`, `services`, an image as `runs-on`), `artifacts`, `env_file`, and names of jobs and steps that do
not come from `${{ }}`. Everywhere else a `$` is a `$`: scripts see variables as their environment.

One pass: what a variable holds is never looked at again. `$$` is a dollar sign. A name without value stays as
written unless `strict`, because a file that is right for GitHub must stay right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pawl.core.expressions import Untrusted
from pawl.core.expressions.values import keep_trust
from pawl.core.model.errors import UsageError

# No part of it can match in two ways, so it cannot backtrack.
_VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<bare>[A-Za-z_][A-Za-z0-9_]*)"
    r"|\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*|matrix\.[A-Za-z_][A-Za-z0-9_-]*)(?::-(?P<default>[^}]*))?\})"
)


def _variable(name: str) -> str:
    """Return the variable that a name between braces stands for."""
    return name.upper().replace(".", "_").replace("-", "_") if "." in name else name


def substitute(text: str, env: Mapping[str, str], *, strict: bool = False) -> str:
    """Return `text` with its variables replaced, once.

    Args:
        text: a field after its `${{ }}` were rendered.
        env: the environment at that level; an empty value counts as none for `:-`, as in shells.
        strict: whether a name without value and default is an error.

    Raises:
        UsageError: with `strict`, names every variable that has no value.
    """
    if "$" not in text:
        return text
    missing: list[str] = []
    untrusted = isinstance(text, Untrusted)

    def replaced(match: re.Match[str]) -> str:
        nonlocal untrusted
        if match["dollar"]:
            return "$"
        name = match["bare"] or match["braced"]
        value = env.get(_variable(name))
        if match["default"] is not None and not value:
            return match["default"]
        if value is None:
            missing.append(name)
            return match[0]
        untrusted = untrusted or isinstance(value, Untrusted)
        return value

    result = _VARIABLE.sub(replaced, text)
    if strict and missing:
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(missing))
        raise UsageError(
            f"no value for {names} in `{text[:80]}`", hint="set it in `env`, or write `${NAME:-default}`"
        )
    return keep_trust(result, untrusted)
