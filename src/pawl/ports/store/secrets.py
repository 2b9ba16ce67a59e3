"""Secrets, variables, and which attempt was given which secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pawl.core.model.ids import RunId
from pawl.core.model.secrets import SecretRecord, SecretUse, ValueScope, VariableRecord


class SecretTable(Protocol):
    """Secrets by scope and name. Names are in upper case."""

    def put(self, secret: SecretRecord) -> None:
        """Add or replace a secret."""

    def get(self, scope: ValueScope, name: str) -> SecretRecord | None:
        """Return a secret."""

    def of(self, project: str, environment: str = "") -> tuple[SecretRecord, ...]:
        """Return what jobs of a project have: everybody's, then its own, then its environment's."""

    def after(self, scope: ValueScope, name: str, limit: int) -> tuple[SecretRecord, ...]:
        """Return all secrets by project, environment and name, those behind the one given."""

    def remove(self, scope: ValueScope, name: str) -> bool:
        """Remove a secret; return whether there was one."""

    def remove_project(self, project: str) -> None:
        """Remove the secrets of a project and of its environments."""


class VariableTable(Protocol):
    """Variables by scope and name. Names are in upper case."""

    def put(self, variable: VariableRecord) -> None:
        """Add or replace a variable."""

    def of(self, project: str, environment: str = "") -> tuple[VariableRecord, ...]:
        """Return what the jobs of a project have, wider scopes first."""

    def all(self) -> tuple[VariableRecord, ...]:
        """Return all variables by project, environment and name."""

    def remove(self, scope: ValueScope, name: str) -> bool:
        """Remove a variable; return whether there was one."""

    def remove_project(self, project: str) -> None:
        """Remove the variables of a project and of its environments."""


class SecretUseTable(Protocol):
    """Which attempt was given which secret; outlives the run."""

    def add(self, uses: Sequence[SecretUse]) -> None:
        """Store uses; one of the same attempt, name and version that is there already stays as it is."""

    def of_name(self, name: str, limit: int) -> tuple[SecretUse, ...]:
        """Return the last uses of secrets of that name, newest first."""

    def of_run(self, run: RunId) -> tuple[SecretUse, ...]:
        """Return what the attempts of a run were given, oldest first."""

    def last(self) -> dict[tuple[ValueScope, str], float]:
        """Return when each secret was used last."""

    def purge(self, before: float) -> int:
        """Remove uses before that time; return how many."""
