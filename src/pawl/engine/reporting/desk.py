"""What the parts of reporting share: their ports, their rules, and the addresses of secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pawl.core.model.forge import PUBLIC_APIS, ForgeAccess, ForgeKind
from pawl.core.model.projects import Project
from pawl.engine.intake.desk import scope_of
from pawl.engine.reporting.rules import ReportingRules
from pawl.ports.clock import Clock
from pawl.ports.forge import Forge
from pawl.ports.mail import Postman
from pawl.ports.outgoing import Sender
from pawl.ports.randomness import Randomness
from pawl.ports.sealing import Sealing
from pawl.ports.store import Store, Transaction

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingDesk:
    """The ports and rules of one server's reporting."""

    store: Store
    clock: Clock
    randomness: Randomness
    sealing: Sealing
    forges: Mapping[ForgeKind, Forge]
    sender: Sender
    postman: Postman
    rules: ReportingRules = field(default_factory=ReportingRules)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction."""
        return await self.store.write(work)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, which only reads."""
        return await self.store.read(work)

    def access(self, project: Project) -> ForgeAccess:
        """Return how to reach a project at its forge.

        Raises:
            InfrastructureError: its secrets were sealed under another key.
        """

        def opened(name: str) -> str:
            sealed = project.secrets.get(name, "")
            return self.sealing.open(sealed, scope_of(project.name, name)) if sealed else ""

        return ForgeAccess(
            repository=project.name,
            api_url=project.api_url.rstrip("/") or PUBLIC_APIS.get(project.forge, ""),
            token=opened("token"),
            app_id=project.app_id,
            app_key=opened("app_key"),
            user=project.user,
        )


def destination_scope(project: str, target: str) -> str:
    """Return the scope that a destination's secret is sealed under."""
    return f"destination:{project}:{target}"
