"""Secrets and variables: set, listed and removed by people. No value of a secret ever comes back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pawl.core.model.errors import NotFound, UsageError
from pawl.core.model.refs import repository_fault
from pawl.core.model.secrets import SecretRecord, SecretUse, ValueScope, VariableRecord
from pawl.core.secrets.names import environment_fault, folded, name_fault, value_fault
from pawl.engine.control.audit import note
from pawl.engine.control.desk import Desk
from pawl.engine.control.moment import Moment
from pawl.ports.sealing import Sealing
from pawl.ports.store import Transaction

_AT_ONCE = 500
_MOST_USES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSecret:
    """A secret as people may see it: never its value, and not sealed either.

    Attributes:
        used_at: when a job was given it last; None when none was.
    """

    scope: ValueScope
    name: str
    version: int
    updated_at: float
    updated_by: str
    used_at: float | None = None


class Secrets:
    """The secrets and variables of a server."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def set(self, scope: ValueScope, name: str, value: str, *, by: str) -> KnownSecret:
        """Store a secret, in place of one of that name.

        Raises:
            UsageError: the name, the scope or the value cannot be.
        """
        name = _checked(scope, name, value, secret=True)
        sealing = self._sealing

        def work(tx: Transaction, moment: Moment) -> SecretRecord:
            lock_secrets(tx)
            before = tx.secrets.get(scope, name)
            new = SecretRecord(
                scope=scope,
                name=name,
                sealed="",
                version=before.version + 1 if before else 1,
                updated_at=moment.now,
                updated_by=by,
            )
            new = replace(new, sealed=sealing.seal(value, new.sealed_as))
            tx.secrets.put(new)
            note(tx, moment, by=by, action="secret.set", target=f"{name} of {scope}")
            return new

        return _known(await self._desk.write(work))

    async def list(self) -> tuple[KnownSecret, ...]:
        """Return all secrets by project, environment and name, each with its last use."""

        def look(tx: Transaction) -> tuple[KnownSecret, ...]:
            last, found = tx.secret_uses.last(), list[KnownSecret]()
            while some := tx.secrets.after(*_end_of(found), _AT_ONCE):
                found += [replace(_known(each), used_at=last.get((each.scope, each.name))) for each in some]
            return tuple(found)

        return await self._desk.read(look)

    async def remove(self, scope: ValueScope, name: str, *, by: str) -> None:
        """Remove a secret.

        Raises:
            NotFound: there is none.
        """
        name = folded(name)

        def work(tx: Transaction, moment: Moment) -> None:
            if not tx.secrets.remove(scope, name):
                raise NotFound(f"there is no secret {name[:100]} of {scope}", hint="`pawl secret list`")
            note(tx, moment, by=by, action="secret.remove", target=f"{name} of {scope}")

        await self._desk.write(work)

    async def uses(self, name: str) -> tuple[SecretUse, ...]:
        """Return the last uses of secrets of that name, newest first."""
        name = folded(name)
        return await self._desk.read(lambda tx: tx.secret_uses.of_name(name, _MOST_USES))

    async def set_variable(self, scope: ValueScope, name: str, value: str, *, by: str) -> VariableRecord:
        """Store a variable, in place of one of that name; raises as `set`."""
        name = _checked(scope, name, value, secret=False)

        def work(tx: Transaction, moment: Moment) -> VariableRecord:
            new = VariableRecord(scope=scope, name=name, value=value, updated_at=moment.now, updated_by=by)
            tx.variables.put(new)
            note(tx, moment, by=by, action="variable.set", target=f"{name} of {scope}")
            return new

        return await self._desk.write(work)

    async def variables(self) -> tuple[VariableRecord, ...]:
        """Return all variables by project, environment and name."""
        return await self._desk.read(lambda tx: tx.variables.all())

    async def remove_variable(self, scope: ValueScope, name: str, *, by: str) -> None:
        """Remove a variable.

        Raises:
            NotFound: there is none.
        """
        name = folded(name)

        def work(tx: Transaction, moment: Moment) -> None:
            if not tx.variables.remove(scope, name):
                raise NotFound(f"there is no variable {name[:100]} of {scope}", hint="`pawl variable list`")
            note(tx, moment, by=by, action="variable.remove", target=f"{name} of {scope}")

        await self._desk.write(work)

    @property
    def _sealing(self) -> Sealing:
        if self._desk.keeping.sealing is None:
            raise UsageError("this server keeps no secrets: it has no key")
        return self._desk.keeping.sealing


def lock_secrets(tx: Transaction) -> None:
    """Have nobody else change secrets till the transaction's end: a new key brings no old value back."""
    tx.keys.get("secrets:lock")


def _checked(scope: ValueScope, name: str, value: str, *, secret: bool) -> str:
    """Return the name as it is kept."""
    kind = "secret" if secret else "variable"
    if fault := name_fault(name):
        raise UsageError(f"`{name[:100]}` cannot be the name of a {kind}: {fault}")
    if scope.environment and not scope.project:
        raise UsageError("an environment is a project's: say which", hint="add --project OWNER/NAME")
    if scope.project and (fault := repository_fault(scope.project)):
        hint = "write it as the forge does: owner/name"
        raise UsageError(f"the project `{scope.project[:80]}` {fault}", hint=hint)
    if scope.environment and (fault := environment_fault(scope.environment)):
        raise UsageError(f"`{scope.environment[:80]}` cannot be an environment: {fault}")
    if fault := value_fault(value, secret=secret):
        raise UsageError(f"{name} cannot be set: {fault}")
    return folded(name)


def _known(secret: SecretRecord) -> KnownSecret:
    return KnownSecret(
        scope=secret.scope,
        name=secret.name,
        version=secret.version,
        updated_at=secret.updated_at,
        updated_by=secret.updated_by,
    )


def _end_of(found: list[KnownSecret]) -> tuple[ValueScope, str]:
    return (found[-1].scope, found[-1].name) if found else (ValueScope(), "")
