"""A sandbox without processes, whose inside paths differ from the outside ones, so that a mix-up shows."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path, PurePosixPath

from pawl.adapters.executor_fake.script import FakeScript, parse_script
from pawl.core.model.errors import InfrastructureError
from pawl.ports.executor import Exit, ProcessSpec, SandboxSpec

_FOLDER = PurePosixPath("/fake")
_SIGNALS = {"INT": 2, "TERM": 15, "KILL": 9}


class FakeProcess:
    """Writes its output at once, then runs for as long as its script says."""

    def __init__(self, stdout: Path, stderr: Path) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self._ignored: frozenset[str] = frozenset()
        self._life: asyncio.Task[None] | None = None

    @property
    def stdout(self) -> Path:
        """Return the file its standard output is in."""
        return self._stdout

    @property
    def stderr(self) -> Path:
        """Return the file its standard error is in."""
        return self._stderr

    def start(self, script: FakeScript, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Write what the script says and begin to run."""
        self._stdout.write_bytes(script.stdout)
        self._stderr.write_bytes(script.stderr)
        self._ignored = script.ignored
        self._life = asyncio.create_task(self._live(script, sleep), name=f"fake process {self._stdout.stem}")

    async def _live(self, script: FakeScript, sleep: Callable[[float], Awaitable[None]]) -> None:
        if script.seconds:
            await sleep(script.seconds)
        self.end(script.end)

    def end(self, how: Exit) -> None:
        """End it, unless it has ended."""
        if self._ended.done():
            return
        self._ended.set_result(how)
        if self._life is not None and self._life is not asyncio.current_task():
            self._life.cancel()

    async def wait(self) -> Exit:
        """Return how it ended."""
        return await asyncio.shield(self._ended)

    async def signal(self, name: str) -> None:
        """End it as the signal would, unless its script ignores that."""
        number = _SIGNALS[name]
        if name not in self._ignored:
            self.end(Exit(code=128 + number, signal=number))


class FakeSandbox:
    """A folder and fake processes."""

    def __init__(
        self,
        spec: SandboxSpec,
        sleep: Callable[[float], Awaitable[None]],
        programs: frozenset[str],
        forget: Callable[[str], None],
    ) -> None:
        """Take what its executor has; `forget` is called with its name when it is closed."""
        self._spec = spec
        self._sleep = sleep
        self._programs = programs
        self._forget = forget
        self._processes: list[FakeProcess] = []
        self._closed = False
        self._folder = Path(os.path.abspath(spec.folder))  # noqa: PTH100 - links must stay as they are named
        self._workspace = Path(os.path.abspath(spec.bind or self._folder / "workspace"))  # noqa: PTH100 - same
        for private in ("control", "home"):
            (self._folder / private).mkdir(exist_ok=True)

    @property
    def name(self) -> str:
        """Return the name of its spec."""
        return self._spec.name

    @property
    def owner(self) -> str:
        """Return the owner of its spec."""
        return self._spec.owner

    @property
    def workspace(self) -> str:
        """Return the inside path of the workspace."""
        return str(_FOLDER / "workspace")

    @property
    def home(self) -> str:
        """Return the inside path of the home folder."""
        return str(_FOLDER / "home")

    @property
    def service_ports(self) -> Mapping[str, Mapping[str, int]]:
        """Return made-up ports: the wanted ones, or 32768 and up where the engine would choose."""
        return {
            service.name: {
                str(port.container): port.host or 32768 + number for number, port in enumerate(service.ports)
            }
            for service in self._spec.services
        }

    @property
    def identity(self) -> Mapping[str, str]:
        """Return a made-up container and network."""
        return {"id": f"fake-{self._spec.name}", "network": f"fake-{self._spec.name}"}

    def inside(self, path: Path) -> str:
        """Return where a fake process sees the path.

        Raises:
            ValueError: when it is neither in the folder nor in the workspace.
        """
        plain = Path(os.path.normpath(path))
        if plain.is_relative_to(self._workspace):
            return str(_FOLDER / "workspace" / plain.relative_to(self._workspace))
        if plain.is_relative_to(self._folder):
            return str(_FOLDER / plain.relative_to(self._folder))
        raise ValueError(f"{path} is neither in the job's folder nor in its workspace")

    def _outside(self, inside: str) -> Path | None:
        plain = PurePosixPath(os.path.normpath(inside))
        if plain.is_relative_to(_FOLDER / "workspace"):
            return self._workspace / plain.relative_to(_FOLDER / "workspace")
        return self._folder / plain.relative_to(_FOLDER) if plain.is_relative_to(_FOLDER) else None

    async def find_programs(self, names: Collection[str]) -> frozenset[str]:
        """Return those of `names` that the executor was told exist."""
        return self._programs & frozenset(names)

    async def run(self, process: ProcessSpec) -> FakeProcess:
        """Do what the environment of the process says.

        Raises:
            InfrastructureError: the sandbox is closed.
        """
        if self._closed:
            raise InfrastructureError(f"The sandbox {self._spec.name} is closed")
        env = {name: value for name, value in {**self._spec.env, **process.env}.items() if value is not None}
        control = self._folder / "control"
        started = FakeProcess(control / f"{process.id}.out", control / f"{process.id}.err")
        script = parse_script(env, next(iter(process.argv), process.entrypoint or ""))
        if process.cwd is not None and not self._is_folder(process.cwd):
            reason = f"the working directory {process.cwd} cannot be entered: No such file or directory"
            script = parse_script({}, "")
            started.start(script, self._sleep)
            started.end(Exit(code=126, reason=reason))
        else:
            self._append(script)
            started.start(script, self._sleep)
        self._processes.append(started)
        return started

    def _is_folder(self, inside: str) -> bool:
        outside = self._outside(inside)
        return outside is not None and outside.is_dir()

    def _append(self, script: FakeScript) -> None:
        for inside, text in script.appends:
            outside = self._outside(inside)
            if outside is not None:
                with outside.open("a", encoding="utf-8") as file:
                    file.write(text)

    async def send(self, paths: Collection[Path]) -> None:
        """Do nothing: the files are already there."""

    async def fetch(self, paths: Collection[Path]) -> None:
        """Do nothing: the files are already there."""

    async def close(self, *, keep: bool = False) -> tuple[str, ...]:
        """End every process; `keep` leaves the sandbox on the machine for `sweep` to find.

        Returns FAKE_TROUBLE of the sandbox's environment, where it is given.
        """
        self._closed = True
        for process in self._processes:
            process.end(Exit(code=137, signal=9))
        if not keep:
            self._forget(self._spec.name)
        for process in self._processes:
            await process.wait()
        trouble = self._spec.env.get("FAKE_TROUBLE")
        return (trouble,) if trouble else ()
