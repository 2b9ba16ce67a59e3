"""Sealing that hides nothing: for tests of what is sealed under which scope."""

from __future__ import annotations

from pawl.core.model.errors import InfrastructureError


class OpenSealing:
    """`Sealing` whose sealed values name their scope."""

    def seal(self, value: str, scope: str) -> str:
        """Return a value sealed."""
        return f"sealed<{scope}>{value[::-1]}"

    def open(self, sealed: str, scope: str) -> str:
        """Return the value; see the port."""
        prefix = f"sealed<{scope}>"
        if not sealed.startswith(prefix):
            raise InfrastructureError("a value was sealed under another scope")
        return sealed.removeprefix(prefix)[::-1]

    def rotate(self, sealed: str, scope: str) -> str:
        """Return the same value sealed anew."""
        return self.seal(self.open(sealed, scope), scope)
