"""A new key: whatever is sealed is sealed under it, a few rows a transaction.

The old keys still open what is not done yet, so that ending anywhere loses nothing; doing it again goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.secrets import ValueScope
from pawl.engine.control.audit import note
from pawl.engine.control.desk import Desk
from pawl.engine.control.moment import Moment
from pawl.engine.control.secrets import lock_secrets
from pawl.ports.sealing import Sealing
from pawl.ports.store import Transaction

_AT_ONCE = 100

Resealed = Callable[[Transaction, Sealing], int]
"""Seals all of a table anew in a transaction, and returns how many values that were."""


class Resealing:
    """Renews the key that secrets are sealed under."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.others: list[Resealed] = [_projects]

    async def renew(self, *, by: str) -> int:
        """Make a new key, seal everything under it, and return how many values that were.

        Raises:
            UsageError: this server has no key.
            InfrastructureError: the key cannot be made, or a value cannot be opened; what is done stays so.
        """
        sealing = self._desk.keeping.sealing
        if sealing is None:
            raise UsageError("this server keeps no secrets: it has no key")
        await self._desk.offload(sealing.renew)

        def begun(tx: Transaction, moment: Moment) -> None:
            note(tx, moment, by=by, action="secret.rotate_key", target="all secrets")

        await self._desk.write(begun)
        count = 0
        last: tuple[ValueScope, str] | None = (ValueScope(), "")
        while last is not None:
            last, done = await self._desk.write(
                lambda tx, _, last=last: _secrets(tx, sealing, *last)  # type: ignore[misc]  # mypy cannot infer it
            )
            count += done
        for other in self.others:
            count += await self._desk.write(lambda tx, _, other=other: other(tx, sealing))  # type: ignore[misc]  # as above
        return count

    async def closed(self) -> int:
        """Return how many sealed values cannot be opened: their key is not there."""
        sealing = self._desk.keeping.sealing

        def look(tx: Transaction) -> int:
            if sealing is None:
                return 0
            last, count = (ValueScope(), ""), 0
            while found := tx.secrets.after(*last, _AT_ONCE):
                count += sum(not _opens(sealing, each.sealed, each.sealed_as) for each in found)
                last = (found[-1].scope, found[-1].name)
            for project in tx.projects.all():
                for name, value in project.secrets.items():
                    count += not _opens(sealing, value, f"project:{project.name}:{name}")
            return count

        return await self._desk.read(look)


def _opens(sealing: Sealing, sealed: str, scope: str) -> bool:
    try:
        sealing.open(sealed, scope)
    except InfrastructureError:
        return False
    return True


def _secrets(
    tx: Transaction, sealing: Sealing, scope: ValueScope, name: str
) -> tuple[tuple[ValueScope, str] | None, int]:
    """Seal the next secrets anew; return the last of them, None after the end, and how many they were."""
    lock_secrets(tx)
    found = tx.secrets.after(scope, name, _AT_ONCE)
    for secret in found:
        tx.secrets.put(replace(secret, sealed=sealing.rotate(secret.sealed, secret.sealed_as)))
    return ((found[-1].scope, found[-1].name) if found else None), len(found)


def _projects(tx: Transaction, sealing: Sealing) -> int:
    count = 0
    for project in tx.projects.all():
        sealed = {
            name: sealing.rotate(value, f"project:{project.name}:{name}")
            for name, value in project.secrets.items()
        }
        tx.projects.put(replace(project, secrets=sealed))
        count += len(sealed)
    return count
