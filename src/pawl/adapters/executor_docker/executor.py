"""The Docker executor: a job is one container with a resident shell (architecture M6)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
from aiodocker import Docker
from aiodocker.containers import DockerContainer

from pawl.adapters.executor_docker.control import ControlFolder
from pawl.adapters.executor_docker.copied import CopiedSandbox
from pawl.adapters.executor_docker.engine import EngineFacts, ask_facts, connect, find_address
from pawl.adapters.executor_docker.errors import engine_errors
from pawl.adapters.executor_docker.forwarding import forwarded_ports, plan_forwards, start_forwarding
from pawl.adapters.executor_docker.holders import Holder, Holders
from pawl.adapters.executor_docker.images import Sleep, find_image, pull_image
from pawl.adapters.executor_docker.layout import prepare
from pawl.adapters.executor_docker.naming import ROLE, SANDBOX
from pawl.adapters.executor_docker.opening import (
    Loss,
    Place,
    can_join_holder,
    make_network,
    start_job_container,
    start_services,
    wait_shell,
    watch_container,
)
from pawl.adapters.executor_docker.ownership import (
    choose_user,
    give_back,
    give_back_mounts,
    is_ordinary,
    open_to_all,
)
from pawl.adapters.executor_docker.remembered import recall, remember
from pawl.adapters.executor_docker.removal import (
    kill_sandbox,
    list_containers,
    list_sandboxes,
    remove_sandbox,
)
from pawl.adapters.executor_docker.sandbox import DockerSandbox, Opened
from pawl.adapters.executor_docker.tending import Tending
from pawl.adapters.executor_docker.whole import to_the_end
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.ports.executor import ImageFacts, ImageRef, Progress, SandboxSpec

_TAIL_TIMEOUT = 30.0
_TRY_AGAIN = (0.5, 2.0)


class DockerExecutor:
    """Makes sandboxes on a Docker Engine, or on Podman by its Docker-compatible socket."""

    def __init__(
        self,
        address: str | None = None,
        *,
        shares_files: bool | None = None,
        sleep: Sleep = asyncio.sleep,
        holders: Holders | None = None,
        memory: Path | None = None,
        tends: bool = False,
    ) -> None:
        """Take the engine's address.

        Args:
            address: as in `unix:///run/docker.sock`; None looks for one when it is first needed.
            shares_files: whether folders of this machine can be mounted; None tries.
            sleep: waits between two tries to pull an image.
            holders: what jobs without services join; None gives each job a network of its own.
            memory: a file for what the engine says of itself: `probe` writes it, others need not ask.
            tends: whether this one keeps the holders, and so removes them when they are idle, or are
                wanted no longer; it believes the engine alone.
        """
        self._wanted = address
        self._shares_files = shares_files
        self._sleep = sleep
        self._docker: Docker | None = None
        self._connector: aiohttp.BaseConnector | None = None
        self._address = ""
        self._facts: EngineFacts | None = None
        self._tails: set[asyncio.Task[None]] = set()
        self._holders = holders
        self._memory = memory
        self._tends = tends
        self._tending: Tending | None = None

    @property
    def kind(self) -> str:
        """Return `docker`."""
        return "docker"

    @property
    def isolated(self) -> bool:
        """Return True; against a fault of the kernel a container is no boundary."""
        return True

    def _client(self) -> Docker:
        if self._docker is None:
            self._address = self._wanted or find_address()
            known = recall(self._memory, self._address) if self._memory and not self._tends else None
            version, self._facts = known or ("auto", self._facts)
            self._docker, self._connector = connect(self._address, version)
            if self._tends and self._holders is not None:
                self._tending = Tending(self._holders, self._docker)
        return self._docker

    async def _ask(self) -> EngineFacts:
        if self._facts is None:
            docker = self._client()
            self._facts = await ask_facts(docker, self._address)
        return self._facts

    async def probe(self) -> str:
        """Return which engine was found, and where.

        Raises:
            InfrastructureError: none, or it does not answer.
        """
        self._client()
        # By a connection of its own: an engine that is going down still answers on those that it has.
        docker, connector = connect(self._address)
        try:
            self._facts = await ask_facts(docker, self._address)
        finally:
            await docker.close()
            if connector is not None:
                await connector.close()
        if self._memory is not None:
            remember(self._memory, self._address, docker.api_version, self._facts)
        return self._facts.description

    async def pull_image(self, image: ImageRef, progress: Progress) -> ImageFacts:
        """Make the image be there; one that is there is not pulled.

        Raises:
            UsageError: the image does not exist, or we may not have it.
            InfrastructureError: the engine or registry failed for good.
        """
        return await pull_image(self._client(), image, progress, sleep=self._sleep)

    async def find_image(self, name: str) -> ImageFacts | None:
        """Return the facts of an image that is there already; None when it would have to be pulled.

        Raises:
            InfrastructureError: the engine failed.
        """
        return await find_image(self._client(), name)

    async def open(self, spec: SandboxSpec, progress: Progress) -> DockerSandbox:
        """Make network, container and services; return when the shell answers and services are ready.

        Raises:
            UsageError: what the workflow asks for cannot be had.
            InfrastructureError: the engine failed.
        """
        facts = await self._ask()
        docker = self._client()
        image = await self._check_image(spec)
        try:
            layout = prepare(spec)
            user = choose_user(spec, facts)
            if spec.bind is None and is_ordinary(user or image.user):
                await asyncio.to_thread(open_to_all, spec.folder / "workspace")
            control = ControlFolder(spec.folder / "control")
        except OSError as error:
            raise InfrastructureError(
                f"The job's folder {spec.folder} cannot be prepared: {error.strerror}"
            ) from error
        place = Place(
            spec=spec,
            docker=docker,
            facts=facts,
            layout=layout,
            user=user,
            shares_files=self._can_share(facts),
            holder=self._take_holder(spec, facts),
        )
        try:
            return await self._open(place, control, progress)
        except BaseException:
            control.close()
            await to_the_end(asyncio.create_task(self._undo(place), name=f"undo {spec.name}"))
            raise

    async def _open(self, place: Place, control: ControlFolder, progress: Progress) -> DockerSandbox:
        await make_network(place)
        try:
            container = await start_job_container(place)
        except (InfrastructureError, UsageError):
            if place.holder is None:
                raise
            # It may have ended, with its engine or by somebody's hand. If it is not that, it shows again.
            return await self._open(await self._leave_holder(place, usable=False), control, progress)
        watch = asyncio.create_task(watch_container(container), name=f"watch {place.spec.name}")
        try:
            if place.shares_files and not await wait_shell(place, control, watch):
                watch.cancel()
                progress("this engine does not share folders; files are copied, and steps start more slowly")
                self._shares_files = False
                place = replace(await self._leave_holder(place, usable=True), shares_files=False)
                return await self._open(place, control, progress)
            ports = await start_services(place, container if place.joins else None, progress)
            sandbox = self._sandbox(place, control, container, ports, watch)
            return await self._forward(place, sandbox, progress)
        except BaseException:
            watch.cancel()
            raise

    async def _leave_holder(self, place: Place, *, usable: bool) -> Place:
        """Remove what there is of a job's sandbox, and return its place without a holder."""
        await remove_sandbox(place.docker, place.spec.name)
        if place.holder is not None and self._holders is not None:
            leave = self._holders.give_back if usable else self._holders.discard
            await leave(place.docker, place.holder, place.spec.name)
        return replace(place, holder=None)

    def _sandbox(
        self,
        place: Place,
        control: ControlFolder,
        container: DockerContainer,
        ports: Mapping[str, Mapping[str, int]],
        watch: asyncio.Task[Loss],
    ) -> DockerSandbox:

        async def remove(keep: bool) -> None:
            if not keep and place.shares_files:
                await give_back(place.layout.folders, container, rootless=place.facts.rootless)
            if keep:
                await remove_sandbox(place.docker, place.spec.name, but_container=container.id)
                return
            await kill_sandbox(place.docker, place.spec.name)
            self._later(self._take_down(place))

        if place.forwards:
            ports = forwarded_ports(place.spec.services, plan_forwards(place.spec.services)[0])
        opened = Opened(place=place, container=container, control=control, service_ports=ports, remove=remove)
        return (DockerSandbox if place.shares_files else CopiedSandbox)(opened, watch)

    async def _take_down(self, place: Place) -> None:
        """Remove what is left of a job that has ended. Nobody waits for it, so it is tried again."""
        for pause in _TRY_AGAIN:
            with suppress(InfrastructureError):
                return await self._leave(place)
            await asyncio.sleep(pause)
        return await self._leave(place)

    async def _leave(self, place: Place) -> None:
        await self._leave_holder(place, usable=True)
        if place.holder is None and self._holders is not None and self._can_hold(place.spec, place.facts):
            with suppress(InfrastructureError, UsageError):  # then jobs have networks of their own
                await self._holders.add(place.docker)

    def _take_holder(self, spec: SandboxSpec, facts: EngineFacts) -> Holder | None:
        return self._holders.take() if self._holders and self._can_hold(spec, facts) else None

    def _can_hold(self, spec: SandboxSpec, facts: EngineFacts) -> bool:
        return facts.holds and self._can_share(facts) and can_join_holder(spec)

    def _can_share(self, facts: EngineFacts) -> bool:
        return facts.shares_files if self._shares_files is None else self._shares_files

    async def _forward(self, place: Place, sandbox: DockerSandbox, progress: Progress) -> DockerSandbox:
        """Make the ports of services be at `localhost`, where they are not anyway; what cannot be is told."""
        forwards, problems = plan_forwards(place.spec.services) if place.forwards else ((), ())
        if forwards:
            trouble = await start_forwarding(sandbox.run, forwards)
            if trouble is not None:
                problems = (*problems, f"`localhost` reaches no service, use their names as hosts: {trouble}")
        for problem in problems:
            progress(f"services: {problem}")
        return sandbox

    async def _undo(self, place: Place) -> None:
        # What went wrong first is what is told; sweep finds what cannot be removed now.
        with suppress(InfrastructureError, UsageError):
            await self._leave_holder(place, usable=True)

    async def _check_image(self, spec: SandboxSpec) -> ImageFacts:
        if spec.image is None:
            raise UsageError(f"The job {spec.name} names no image to run in")
        found = await find_image(self._client(), spec.image.name)
        if found is None:
            raise UsageError(f"The image {spec.image.name} is not on this engine", hint="pull it first")
        return found

    async def sweep(self, is_alive: Callable[[str], bool], *, dry_run: bool = False) -> tuple[str, ...]:
        """Remove containers, networks and volumes of dead owners; say what, a line each.

        Raises:
            InfrastructureError: the engine failed.
        """
        docker = self._client()
        await self._finish()
        lines: list[str] = []
        for (sandbox, owner), things in (await list_sandboxes(docker)).items():
            if is_alive(owner) or not self._may_remove(sandbox, dry_run=dry_run):
                continue
            if not dry_run:
                await self._give_back(sandbox)
                await remove_sandbox(docker, sandbox)
            lines += things
        if self._holders is not None and not dry_run:
            await self._holders.tidy(docker, idle=None)
        return tuple(lines)

    def stop_holding(self) -> None:
        """Keep no holders any more, as this worker takes no more jobs; they go beside what still runs."""
        if self._tending is not None:
            self._tending.end()

    def _may_remove(self, sandbox: str, *, dry_run: bool) -> bool:
        return self._holders is None or self._holders.let_go(sandbox, dry_run=dry_run)

    async def _give_back(self, sandbox: str) -> None:
        if (await self._ask()).rootless:
            return
        docker = self._client()
        with engine_errors("Leftovers cannot be looked at"):
            for one in await list_containers(docker, f"{SANDBOX}={sandbox}"):
                if (one.get("Labels") or {}).get(ROLE) == "job":
                    await give_back_mounts(docker.containers.container(one["Id"]))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the end of a removal beside what comes next."""
        task = asyncio.create_task(work, name="take down")
        self._tails.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, tail: asyncio.Task[None]) -> None:
        self._tails.discard(tail)
        if not tail.cancelled():
            tail.exception()  # looked at, so that asyncio does not report it as overlooked

    async def _finish(self) -> None:
        """Wait for what was put off. A network that cannot be removed is left to the next sweep."""
        if self._tails:
            _, late = await asyncio.wait(set(self._tails), timeout=_TAIL_TIMEOUT)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def aclose(self) -> None:
        """Finish removals, and close the connections to the engine; sandboxes go on."""
        await self._finish()
        if self._tending is not None:
            await self._tending.aclose()
            self._tending = None
        if self._docker is not None:
            await self._docker.close()
            self._docker = None
        if self._connector is not None:
            await self._connector.close()
            self._connector = None
