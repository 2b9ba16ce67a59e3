"""What the parts of the intake share: their ports, their rules, and how secrets of projects are opened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind
from pawl.core.model.projects import Project, Verdict
from pawl.engine.control.desk import Offload, at_once
from pawl.engine.control.origins import Origins
from pawl.engine.control.runs import Runs
from pawl.engine.intake.rules import IntakeRules
from pawl.ports.clock import Clock
from pawl.ports.forge import Forge
from pawl.ports.mirrors import Mirrors, Origin
from pawl.ports.randomness import Randomness
from pawl.ports.sealing import Sealing
from pawl.ports.store import Store, Transaction

T = TypeVar("T")

DELIVERIES = "deliveries"
"""The topic that is told when there is something to work on."""
PROJECTS = "projects"
"""The topic that is told when a project was changed."""


TellRefused: TypeAlias = Callable[[Project, Event, Sequence[tuple[str, Verdict]]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeDesk:
    """The ports and rules of one intake.

    Attributes:
        forges: by what they speak.
        runs: the runs of this server.
        tell_refused: tells others of workflows that a filter kept out, by name with its verdict; again is no
            harm.
    """

    store: Store
    clock: Clock
    randomness: Randomness
    sealing: Sealing
    forges: Mapping[ForgeKind, Forge]
    mirrors: Mirrors
    runs: Runs
    tell_refused: TellRefused | None = None
    rules: IntakeRules = field(default_factory=IntakeRules)
    offload: Offload = at_once
    origins: Origins = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "origins", Origins(self.forges, self.sealing, self.clock))

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction."""
        return await self.store.write(work)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, which only reads."""
        return await self.store.read(work)

    def secret(self, project: Project, name: str) -> str:
        """Return a project's secret, "" for none.

        Raises:
            InfrastructureError: it was sealed under another key.
        """
        sealed = project.secrets.get(name, "")
        return self.sealing.open(sealed, scope_of(project.name, name)) if sealed else ""

    async def origin(self, project: Project) -> Origin:
        """Return where a project's mirror is fetched from; raises as `Origins.of`."""
        return await self.origins.of(project)


def scope_of(project: str, name: str) -> str:
    """Return the scope that a project's secret is sealed under."""
    return f"project:{project}:{name}"
