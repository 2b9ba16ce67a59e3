"""The fake executor: a real adapter that passes the contract suite, without a process anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from pawl.adapters.executor_fake.sandbox import FakeSandbox
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.ports.executor import ImageFacts, ImageRef, Progress, SandboxSpec

PROGRAMS = frozenset({"sh", "bash", "python", "python3", "node", "git"})
"""What `find_programs` finds when nothing else is said."""


@dataclass(slots=True)
class FakeMachine:
    """What outlives an executor: the sandboxes that were opened on this machine and not closed."""

    sandboxes: dict[str, FakeSandbox] = field(default_factory=dict)


class FakeExecutor:
    """Makes sandboxes whose processes do what their environment says (see `script`)."""

    def __init__(
        self,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        machine: FakeMachine | None = None,
        programs: Collection[str] = PROGRAMS,
        images: Collection[str] | None = None,
    ) -> None:
        """Take the world it is in.

        Args:
            sleep: waits so many seconds; a test's own makes time virtual.
            machine: shared by executors that shall see each other's sandboxes.
            programs: what every sandbox has in its PATH.
            images: those that exist; None means every image does.
        """
        self._sleep = sleep
        self._machine = machine or FakeMachine()
        self._programs = frozenset(programs)
        self._images = images

    @property
    def kind(self) -> str:
        """Return `fake`."""
        return "fake"

    @property
    def isolated(self) -> bool:
        """Return True: nothing runs, so nothing escapes."""
        return True

    async def probe(self) -> str:
        """Return what it is."""
        return "fake executor, runs nothing"

    async def pull_image(self, image: ImageRef, progress: Progress) -> ImageFacts:
        """Return made-up facts.

        Raises:
            UsageError: the image is none of those that exist.
        """
        if self._images is not None and image.name not in self._images:
            raise UsageError(f"The image {image.name} does not exist")
        progress(f"{image.name} is there")
        return ImageFacts(name=image.name, digest="sha256:" + "0" * 64, size=0, env={})

    async def open(self, spec: SandboxSpec, progress: Progress) -> FakeSandbox:
        """Make the sandbox, or fail as `FAKE_OPEN_ERROR` and `FAKE_OPEN_REFUSED` in `spec.env` say.

        Raises:
            InfrastructureError: on demand, and when the name is taken.
            UsageError: on demand.
        """
        if spec.name in self._machine.sandboxes:
            raise InfrastructureError(f"A sandbox called {spec.name} exists already")
        if "FAKE_OPEN_SLEEP" in spec.env:
            progress("opening")
            await self._sleep(float(spec.env["FAKE_OPEN_SLEEP"]))
        if "FAKE_OPEN_ERROR" in spec.env:
            raise InfrastructureError(spec.env["FAKE_OPEN_ERROR"])
        if "FAKE_OPEN_REFUSED" in spec.env:
            raise UsageError(spec.env["FAKE_OPEN_REFUSED"])
        sandbox = FakeSandbox(spec, self._sleep, self._programs, self._forget)
        self._machine.sandboxes[spec.name] = sandbox
        return sandbox

    def _forget(self, name: str) -> None:
        self._machine.sandboxes.pop(name, None)

    async def sweep(self, is_alive: Callable[[str], bool], *, dry_run: bool = False) -> tuple[str, ...]:
        """Close sandboxes of dead owners; say which."""
        dead = [sandbox for sandbox in self._machine.sandboxes.values() if not is_alive(sandbox.owner)]
        for sandbox in dead:
            if not dry_run:
                await sandbox.close()
        return tuple(f"sandbox {sandbox.name}" for sandbox in dead)

    async def aclose(self) -> None:
        """Do nothing: there are no connections."""
