"""Docker actions: a process in a container of its own, with the job's folders and network."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiodocker import Docker
from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError

from pawl.adapters.executor_docker.errors import engine_errors
from pawl.adapters.executor_docker.hardening import bind_mount, host_config
from pawl.adapters.executor_docker.layout import WORKSPACE, Layout
from pawl.adapters.executor_docker.naming import check_image_name, container_name, labels
from pawl.adapters.executor_docker.streams import copy_output
from pawl.adapters.executor_docker.whole import make
from pawl.core.model.errors import PawlError
from pawl.ports.executor import Exit, ProcessSpec, SandboxSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an action's container shares with its job's."""

    spec: SandboxSpec
    docker: Docker
    layout: Layout
    network: str
    user: str
    init: bool
    memory: int | None


class ActionProcess:
    """A container that runs one action; it is removed when it ends."""

    def __init__(self, container: DockerContainer, stdout: Path, stderr: Path) -> None:
        self._container = container
        self._stdout = stdout
        self._stderr = stderr
        self._life: asyncio.Task[Exit] | None = None

    @property
    def stdout(self) -> Path:
        """Return the file its standard output grows in."""
        return self._stdout

    @property
    def stderr(self) -> Path:
        """Return the same for standard error."""
        return self._stderr

    async def start(self) -> None:
        """Attach to the container, start it, and go on in the background."""
        stream = self._container.attach(stdout=True, stderr=True)
        await stream.__aenter__()
        try:
            await self._container.start()
        except BaseException:
            await stream.close()
            raise
        self._life = asyncio.create_task(self._live(stream), name=f"action {self._container.id[:12]}")

    async def _live(self, stream: Any) -> Exit:
        try:
            with engine_errors("The action's container was lost"):
                await copy_output(stream, self._stdout, self._stderr)
                code = int((await self._container.wait())["StatusCode"])
                state = (await self._container.show())["State"]
            out_of_memory = bool(state.get("OOMKilled")) and code != 0
            reason = state.get("Error") or None
            signal = code - 128 if 128 < code <= 128 + 31 else None
            return Exit(code=code, signal=signal, out_of_memory=out_of_memory, reason=reason)
        except PawlError as error:
            return Exit(code=137, reason=error.message)
        finally:
            await stream.close()
            with suppress(DockerError, OSError):
                await self._container.delete(force=True, v=True)

    async def wait(self) -> Exit:
        """Return how it ended. Cancelling the wait does not stop it."""
        if self._life is None:
            return Exit(code=137, reason="the action was not started")
        return await asyncio.shield(self._life)

    async def signal(self, name: str) -> None:
        """Send INT, TERM or KILL to the container's main process; KILL ends all of it."""
        if self._life is None or self._life.done():
            return
        # It may end at any moment: nothing to signal is what was wanted.
        with suppress(DockerError, OSError):
            await self._container.kill(signal=f"SIG{name}")


async def start_action(
    around: Surroundings, control: Path, process: ProcessSpec, env: Mapping[str, str]
) -> ActionProcess:
    """Make and start an action's container.

    Args:
        around: what it shares with the job.
        control: the folder that its output goes to.
        process: what to run; `image` is given.
        env: its whole environment.

    Raises:
        UsageError: the image does not exist, or what it names as its program.
        InfrastructureError: the engine failed.
    """
    config = _container_config(around, process, env)
    name = container_name(around.spec.name, process.id)
    with engine_errors(f"The action {config['Image']} cannot be started"):
        container = await make(around.docker.containers.create(config, name=name))
        started = ActionProcess(container, control / f"{process.id}.out", control / f"{process.id}.err")
        try:
            await started.start()
        except BaseException:
            with suppress(DockerError, OSError):
                await container.delete(force=True, v=True)
            raise
    return started


def _container_config(around: Surroundings, process: ProcessSpec, env: Mapping[str, str]) -> dict[str, Any]:
    spec = around.spec
    options = spec.options
    host = host_config(options, network=around.network, init=around.init, default_memory=around.memory)
    host["Mounts"] = [bind_mount(str(outside), inside) for outside, inside in around.layout.shared()]
    config: dict[str, Any] = {
        "Image": check_image_name(process.image.name if process.image else ""),
        "Cmd": list(process.argv),
        "Env": [f"{name}={value}" for name, value in env.items()],
        "WorkingDir": process.cwd or WORKSPACE,
        "User": around.user,
        "Labels": labels(spec.name, spec.owner, "action"),
        "Healthcheck": {"Test": ["NONE"]},
        "AttachStdout": True,
        "AttachStderr": True,
        "HostConfig": host,
    }
    if process.entrypoint:
        config["Entrypoint"] = [process.entrypoint]
    return config
