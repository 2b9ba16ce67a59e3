"""A job's folder, environment and processes on this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from pawl.adapters.executor_host.marks import VARIABLE, Mark, kill_marked, variable_for
from pawl.adapters.executor_host.process import HostProcess
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.ports.executor import ProcessSpec, SandboxSpec

_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME", "SSL_CERT_FILE", "SSL_CERT_DIR")
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class HostSandbox:
    """The job's own folder; processes run in it as this user."""

    def __init__(self, spec: SandboxSpec) -> None:
        """Make `control/` and `home/` in the folder.

        Raises:
            OSError: when that cannot be done.
        """
        self._spec = spec
        self._folder = Path(os.path.abspath(spec.folder))  # noqa: PTH100 - links must stay as they are named
        self._workspace = Path(os.path.abspath(spec.bind or self._folder / "workspace"))  # noqa: PTH100 - same
        self._control = self._folder / "control"
        self._processes: list[HostProcess] = []
        self._closing: asyncio.Task[None] | None = None
        for private in (self._control, self._folder / "home" / "tmp"):
            private.mkdir(parents=True, exist_ok=True)

    @property
    def workspace(self) -> str:
        """Return the workspace's path; inside and outside are the same here."""
        return str(self._workspace)

    @property
    def home(self) -> str:
        """Return the job's private home folder."""
        return str(self._folder / "home")

    @property
    def service_ports(self) -> Mapping[str, Mapping[str, int]]:
        """Return nothing: there are no services."""
        return {}

    @property
    def identity(self) -> Mapping[str, str]:
        """Return nothing: there is no container."""
        return {}

    def inside(self, path: Path) -> str:
        """Return the path itself.

        Raises:
            ValueError: when it is neither in the folder nor in the workspace.
        """
        plain = Path(os.path.normpath(path))
        if not any(plain.is_relative_to(root) for root in (self._folder, self._workspace)):
            raise ValueError(f"{path} is neither in the job's folder nor in its workspace")
        return str(plain)

    async def find_programs(self, names: Collection[str]) -> frozenset[str]:
        """Return those of `names` that are programs in the sandbox's PATH."""
        path = self._environment({}).get("PATH", "")
        return frozenset(name for name in names if shutil.which(name, path=path))

    async def run(self, process: ProcessSpec) -> HostProcess:
        """Start a process and return at once.

        Raises:
            UsageError: it wants a container of its own.
            InfrastructureError: the sandbox is closed, or its folder cannot be written.
        """
        if process.image is not None:
            raise UsageError(
                f"The host executor cannot run the docker action {process.image.name}",
                hint="use the docker executor: start a container engine and run with --executor docker",
            )
        if self._closing is not None:
            raise InfrastructureError(f"The sandbox {self._spec.name} is closed")
        mark = Mark(self._spec.owner, self._spec.name, process.id)
        started = HostProcess(self._control / f"{process.id}.out", self._control / f"{process.id}.err", mark)
        env = self._environment(process.env) | {VARIABLE: variable_for(mark)}
        try:
            started.start(process.argv, env, process.cwd or self.workspace)
        except OSError as error:
            raise InfrastructureError(f"The output file cannot be made: {error.strerror}") from error
        self._processes.append(started)
        return started

    def _environment(self, own: Mapping[str, str | None]) -> dict[str, str]:
        """Return what a process gets: a clean base, the sandbox's variables, its own; None removes one."""
        env: dict[str, str | None] = {"PATH": _DEFAULT_PATH, "LANG": "C.UTF-8"}
        env |= {name: os.environ[name] for name in _KEPT if name in os.environ}
        env |= {"HOME": self.home, "TMPDIR": str(self._folder / "home" / "tmp")}
        env |= {**self._spec.env, **own}
        return {name: value for name, value in env.items() if value is not None}

    async def send(self, paths: Collection[Path]) -> None:
        """Do nothing: the files are already there."""

    async def fetch(self, paths: Collection[Path]) -> None:
        """Do nothing: the files are already there."""

    async def close(self, *, keep: bool = False) -> tuple[str, ...]:  # noqa: ARG002 - no container to keep
        """End every process of the job. Idempotent; goes on to its end when cancelled.

        Returns nothing to know: there are no services.
        """
        if self._closing is None:
            self._closing = asyncio.create_task(self._end_processes(), name=f"close {self._spec.name}")
        await _to_the_end(self._closing)
        return ()

    async def _end_processes(self) -> None:
        here = Mark(self._spec.owner, self._spec.name, "")
        for process in self._processes:
            process.kill_group()
        await kill_marked(here.same_sandbox)
        for process in self._processes:
            await process.wait()


async def _to_the_end(task: asyncio.Task[None]) -> None:
    """Wait for a task that must not be left half done; a cancellation is passed on afterwards."""
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError
