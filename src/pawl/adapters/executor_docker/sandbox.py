"""A job's container with its resident shell."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiodocker.containers import DockerContainer

from pawl.adapters.executor_docker.actions import Surroundings, start_action
from pawl.adapters.executor_docker.control import ControlFolder
from pawl.adapters.executor_docker.layout import CONTROL, HOME, WORKSPACE
from pawl.adapters.executor_docker.opening import Loss, Place, find_troubles
from pawl.adapters.executor_docker.process import EndedProcess, ShellProcess
from pawl.adapters.executor_docker.supervisor import check_environment, start_script
from pawl.adapters.executor_docker.whole import to_the_end
from pawl.core.model.errors import InfrastructureError
from pawl.ports.executor import Exit, Process, ProcessSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What `open` made, and a sandbox is made of."""

    place: Place
    container: DockerContainer
    control: ControlFolder
    service_ports: Mapping[str, Mapping[str, int]]
    remove: Callable[[bool], Awaitable[None]]
    """Removes what the sandbox has on the engine; true leaves the container."""


class DockerSandbox:
    """Starts processes by the container's resident shell; the engine is not asked between two steps."""

    def __init__(self, opened: Opened, watch: asyncio.Task[Loss]) -> None:
        """Take what was opened, and the task that returns why the container ended, once it does."""
        self._it = opened
        self._watch = watch
        self._closing: asyncio.Task[None] | None = None
        self._troubles: tuple[str, ...] = ()
        self._gone: str | None = None
        self._probes = 0
        watch.add_done_callback(self._ended)

    @property
    def workspace(self) -> str:
        """Return the inside path of the workspace."""
        return WORKSPACE

    @property
    def home(self) -> str:
        """Return the inside path of the home folder."""
        return HOME

    @property
    def service_ports(self) -> Mapping[str, Mapping[str, int]]:
        """Return by service and container port where the job reaches it."""
        return self._it.service_ports

    @property
    def identity(self) -> Mapping[str, str]:
        """Return the container's id and its network's name."""
        return {"id": self._it.container.id, "network": self._it.place.network}

    def inside(self, path: Path) -> str:
        """Return the path by which the container sees `path`.

        Raises:
            ValueError: when it is neither in the folder nor in the workspace.
        """
        return self._it.place.layout.inside(path)

    async def find_programs(self, names: Collection[str]) -> frozenset[str]:
        """Return those of `names` that are programs in the container's PATH.

        Raises:
            InfrastructureError: the container is gone.
        """
        wanted = sorted(names)
        self._probes += 1
        # PATH is walked by hand: `command -v` of busybox also knows programs that have no file.
        script = (
            'IFS=:; for x; do for d in $PATH; do [ -f "$d/$x" ] && [ -x "$d/$x" ] '
            '&& echo "$x" && break; done; done'
        )
        process = await self.run(
            ProcessSpec(id=f"find-programs-{self._probes}", argv=["/bin/sh", "-c", script, "sh", *wanted])
        )
        await process.wait()
        said = self._it.control.read_start(process.stdout.name, 65536) or b""
        return frozenset(said.decode("utf-8", "replace").split("\n")) & frozenset(wanted)

    async def run(self, process: ProcessSpec) -> Process:
        """Start a process and return at once.

        Raises:
            InfrastructureError: the container is gone.
            UsageError: the image of an action does not exist.
        """
        if self._gone is not None:
            raise InfrastructureError(self._gone)
        env: dict[str, str | None] = {"HOME": HOME, **self._it.place.spec.env, **process.env}
        wrong = check_environment(env) or next(
            (f"the argument {word!r} has a NUL character" for word in process.argv if "\0" in word), None
        )
        if wrong is not None:
            return self._not_started(process.id, wrong)
        if process.image is not None:
            given = {name: value for name, value in env.items() if value is not None}
            return await self._start_action(process, given)
        return await self._start(process, env, process.cwd or WORKSPACE)

    async def _start(self, process: ProcessSpec, env: Mapping[str, str | None], cwd: str) -> Process:
        started = ShellProcess(self._it.control, process.id, process.argv[0], cwd)
        await started.start(start_script(CONTROL, process.id, process.argv, env, cwd))
        return started

    async def _start_action(self, process: ProcessSpec, env: Mapping[str, str]) -> Process:
        return await start_action(self._around(), self._it.control.path, process, env)

    def _around(self) -> Surroundings:
        place = self._it.place
        joined = place.joins or place.holder is not None
        return Surroundings(
            spec=place.spec,
            docker=place.docker,
            layout=place.layout,
            network=f"container:{self._it.container.id}" if joined else place.network,
            user=place.user,
            init=place.facts.init,
            memory=place.facts.memory,
        )

    def _not_started(self, identity: str, reason: str) -> Process:
        control = self._it.control
        for name in ("out", "err"):
            control.make_file(f"{identity}.{name}")
        how = Exit(code=126, reason=f"the process cannot be started: {reason}")
        return EndedProcess(control.path / f"{identity}.out", control.path / f"{identity}.err", how)

    async def send(self, paths: Collection[Path]) -> None:
        """Do nothing: the folders are shared."""

    async def fetch(self, paths: Collection[Path]) -> None:
        """Do nothing: the folders are shared."""

    def _ended(self, watch: asyncio.Task[Loss]) -> None:
        loss = Loss("The job's container is gone") if watch.cancelled() else watch.result()
        self._gone = loss.reason
        self._it.control.lose(loss.reason, by_executor=loss.by_engine)

    async def close(self, *, keep: bool = False) -> tuple[str, ...]:
        """End every process and remove everything. Idempotent; goes on to its end when cancelled.

        Returns a text for each service that was not well.

        Raises:
            InfrastructureError: the engine failed to.
        """
        if self._closing is None or (self._closing.done() and self._failed(self._closing)):
            self._closing = asyncio.create_task(
                self._close(keep=keep), name=f"close {self._it.place.spec.name}"
            )
        await to_the_end(self._closing)
        return self._troubles

    @staticmethod
    def _failed(task: asyncio.Task[None]) -> bool:
        return task.cancelled() or task.exception() is not None

    async def _close(self, *, keep: bool) -> None:
        try:
            self._troubles = await find_troubles(self._it.place)
            if keep and self._gone is None:
                await self._kill_processes()
            await self._it.remove(keep)
        finally:
            self._gone = self._gone or f"The sandbox {self._it.place.spec.name} is closed"
            self._watch.cancel()
            self._it.control.lose(self._gone)
            self._it.control.close()

    async def _kill_processes(self) -> None:
        """Kill the steps' processes; the resident shell stays for `pawl shell`."""
        for identity in self._it.control.waiting():
            await self._it.control.request("signal", identity, "KILL")
