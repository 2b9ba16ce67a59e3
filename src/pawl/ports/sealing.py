"""Sealing: keeping values that nobody may read from the database."""

from __future__ import annotations

from typing import Protocol


class Sealing(Protocol):
    """Encrypts and authenticates texts. What is sealed says nothing about its value but its length."""

    def seal(self, value: str, scope: str) -> str:
        """Return a value sealed, as printable text; each time another.

        Args:
            value: the text.
            scope: what it belongs to (`project:acme/site:hook`): it opens under the same scope only, so that
                nobody who can write to the database can put one value in another's place.
        """

    def open(self, sealed: str, scope: str) -> str:
        """Return the value.

        Raises:
            InfrastructureError: it was sealed under another key or scope, or was changed.
        """

    def rotate(self, sealed: str, scope: str) -> str:
        """Return the same value sealed under the newest key; what is sealed so already comes back as it is.

        Raises:
            InfrastructureError: as `open`.
        """

    def renew(self) -> None:
        """Have a new key, under which everything is sealed from now on. What older ones sealed still opens.

        Raises:
            InfrastructureError: it cannot be kept.
        """
