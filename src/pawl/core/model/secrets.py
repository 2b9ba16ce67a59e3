"""What a server keeps of secrets and variables. A secret's value is sealed wherever it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from pawl.core.model.records import AttemptRef


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ValueScope:
    """Whose a secret or variable is; the narrower outweighs the wider.

    Attributes:
        project: `owner/name`; "" for those of all projects.
        environment: of that project; "" for all its jobs.
    """

    project: str = ""
    environment: str = ""

    def __str__(self) -> str:
        """Return it for people."""
        if not self.project:
            return "every project"
        return f"{self.project}, environment {self.environment}" if self.environment else self.project


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRecord:
    """A secret, sealed.

    Attributes:
        name: in upper case.
        sealed: see ports/sealing.py; its scope is `sealed_as`.
        version: counts how often it was set, from 1.
        updated_at: seconds since 1970; `updated_by`: the name of a token.
    """

    scope: ValueScope
    name: str
    sealed: str = field(repr=False)
    version: int
    updated_at: float
    updated_by: str

    @property
    def sealed_as(self) -> str:
        """Return what it is sealed under, so that no row's value opens in another's place."""
        return f"secret:{self.scope.project}:{self.scope.environment}:{self.name}:{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableRecord:
    """A value of the `vars` context, which everybody may read."""

    scope: ValueScope
    name: str
    value: str
    updated_at: float
    updated_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUse:
    """That an attempt was given a secret.

    Attributes:
        scope, version: whose it was, and which of its values.
        used_at: seconds since 1970.
    """

    attempt: AttemptRef
    name: str
    scope: ValueScope
    version: int
    used_at: float
