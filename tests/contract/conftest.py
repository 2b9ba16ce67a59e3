"""What the executor contract needs of each adapter: how to make one, and how to say what a process shall do.

Real adapters are given small `sh` scripts. The fake has no shell: the same behaviours are said in its own
words (FAKE_... variables), so that one suite holds for all.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pawl.adapters.executor_docker import DockerExecutor
from pawl.adapters.executor_fake import FakeExecutor, FakeMachine
from pawl.adapters.executor_host import HostExecutor
from pawl.core.model.errors import InfrastructureError
from pawl.ports.executor import Executor, ImageRef, Process, ProcessSpec, Sandbox, SandboxSpec
from tests.s3 import CREDENTIALS, make_bucket, running_s3

IMAGE = "pawl/busybox:test"
_numbers = itertools.count()


def owner_called(name: str) -> str:
    """Return an owner that no other test's sweep takes for dead: a token of another machine."""
    return f"pawl1/test-{name}-{os.getpid()}/x/x/1/1"


@dataclass(frozen=True)
class Behaviours:
    """Process specs of the behaviours that the suite talks about."""

    kind: str

    def _spec(self, script: str, fake: dict[str, str], cwd: str | None = None) -> ProcessSpec:
        env: dict[str, str | None] = dict(fake) if self.kind == "fake" else {}
        return ProcessSpec(id=f"p{next(_numbers)}", argv=["sh", "-c", script], env=env, cwd=cwd)

    def exits(self, code: int, cwd: str | None = None) -> ProcessSpec:
        return self._spec(f"exit {code}", {"FAKE_EXIT": str(code)}, cwd)

    def prints(self, out: str, err: str = "", repeat: int = 1) -> ProcessSpec:
        line = f"printf %s {shlex.quote(out)}; printf %s {shlex.quote(err)} >&2"
        script = line if repeat == 1 else f"i=0; while [ $i -lt {repeat} ]; do {line}; i=$((i+1)); done"
        return self._spec(script, {"FAKE_OUTPUT": out, "FAKE_ERROR": err, "FAKE_REPEAT": str(repeat)})

    def prints_variable(self, name: str, env: dict[str, str | None]) -> ProcessSpec:
        script = f'printf %s "${name}"'
        spec = self._spec(script, {"FAKE_PRINT_ENV": name})
        return ProcessSpec(id=spec.id, argv=spec.argv, env={**spec.env, **env})

    def sleeps(self, seconds: float = 60, ignores: str = "") -> ProcessSpec:
        """Say "ready" first, so that a test knows that its traps are set."""
        trap = f"trap '' {ignores}; " if ignores else ""
        # A loop of short sleeps: a shell that ignores a signal hands that on to the sleep.
        script = (
            f"{trap}echo ready; i=0; while [ $i -lt {int(seconds * 20)} ]; do sleep 0.05; i=$((i+1)); done"
        )
        return self._spec(
            script, {"FAKE_OUTPUT": "ready\n", "FAKE_SLEEP": str(seconds), "FAKE_IGNORE": ignores}
        )

    def missing_program(self) -> ProcessSpec:
        env: dict[str, str | None] = {"FAKE_MISSING": "1"} if self.kind == "fake" else {}
        return ProcessSpec(id=f"p{next(_numbers)}", argv=["no-such-program-anywhere"], env=env)

    def appends(self, variable: str, inside: str, text: str) -> ProcessSpec:
        script = f'printf %s {shlex.quote(text)} >> "${variable}"'
        spec = self._spec(script, {f"FAKE_APPEND_{variable}": text})
        return ProcessSpec(id=spec.id, argv=spec.argv, env={**spec.env, variable: inside})


@dataclass
class Case:
    """One adapter with a folder for its jobs."""

    kind: str
    executor: Executor
    another: Callable[[], Executor]
    root: Path
    does: Behaviours
    opened: list[Sandbox] = field(default_factory=list)

    def spec(self, owner: str = "", **changes: object) -> SandboxSpec:
        name = f"contract-{os.getpid()}-{next(_numbers)}"
        folder = self.root / name
        for sub in ("temp", "files", "actions", "workspace"):
            (folder / sub).mkdir(parents=True)
        image = None if self.kind == "host" else ImageRef(name=IMAGE)
        values: dict[str, object] = {
            "name": name,
            "owner": owner or owner_called("contract"),
            "folder": folder,
            "image": image,
            **changes,
        }
        return SandboxSpec(**values)  # type: ignore[arg-type]  # test data

    async def open(self, **changes: object) -> tuple[Sandbox, SandboxSpec]:
        spec = self.spec(**changes)  # type: ignore[arg-type]  # test data
        sandbox = await self.executor.open(spec, lambda _: None)
        self.opened.append(sandbox)
        return sandbox, spec


async def until(condition: Callable[[], object], what: str, seconds: float = 10) -> None:
    """Wait for a condition that only the world outside can make true."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        met = condition()
        if isinstance(met, Awaitable):
            met = await met
        if met:
            return
        assert asyncio.get_running_loop().time() < end, f"after {seconds} s still not: {what}"
        await asyncio.sleep(0.005)


async def until_ready(process: Process) -> None:
    """Wait for a process of `sleeps` to have set its traps."""
    await until(lambda: process.stdout.exists() and b"ready" in process.stdout.read_bytes(), "ready")


ENGINE = pytest.mark.engine
REAL = ["host", pytest.param("docker", marks=ENGINE), pytest.param("docker-copied", marks=ENGINE)]


@pytest.fixture(params=["fake", *REAL])
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Case]:
    kind: str = request.param
    machine = FakeMachine()
    makers: dict[str, Callable[[], Executor]] = {
        "host": HostExecutor,
        "fake": lambda: FakeExecutor(machine=machine),
        "docker": DockerExecutor,
        # The engine is made to be one that cannot share folders: exec calls and copies.
        "docker-copied": lambda: DockerExecutor(shares_files=False),
    }
    executor = makers[kind]()
    others: list[Executor] = []

    def another() -> Executor:
        others.append(makers[kind]())
        return others[-1]

    if kind.startswith("docker"):
        try:
            await executor.probe()
        except InfrastructureError as error:
            await executor.aclose()
            if os.environ.get("CI"):
                pytest.fail(f"CI is set and no container engine answers: {error}")
            pytest.skip(f"no container engine: {error}; tools/engine/start brings one up")
    made = Case(kind, executor, another, tmp_path, Behaviours(kind))
    yield made
    for sandbox in made.opened:
        await sandbox.close()
    for one in (executor, *others):
        await one.aclose()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Yield the address of an S3 server, started when a test first asks for it."""
    with running_s3() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a part of an empty bucket."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{next(_numbers)}"
    make_bucket(s3_server, name)
    return f"s3://{name}/some/prefix?endpoint={s3_server}&region=us-east-1"
