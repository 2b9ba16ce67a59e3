"""Sealing that hides nothing: for tests of what is sealed under which scope."""

from __future__ import annotations

import re

from pawl.core.model.errors import InfrastructureError

_SEALED = re.compile(r"sealed(\d+)<(.*?)>(.*)", re.DOTALL)


class OpenSealing:
    """`Sealing` whose sealed values name their scope and how often the key had been renewed."""

    def __init__(self) -> None:
        self.renewed = 0

    def seal(self, value: str, scope: str) -> str:
        """Return a value sealed."""
        return f"sealed{self.renewed}<{scope}>{value[::-1]}"

    def open(self, sealed: str, scope: str) -> str:
        """Return the value; see the port."""
        found = _SEALED.fullmatch(sealed)
        if found is None or found[2] != scope:
            raise InfrastructureError("a value was sealed under another scope")
        return found[3][::-1]

    def rotate(self, sealed: str, scope: str) -> str:
        """Return the same value sealed anew."""
        return self.seal(self.open(sealed, scope), scope)

    def renew(self) -> None:
        """Have a new key; see the port."""
        self.renewed += 1
