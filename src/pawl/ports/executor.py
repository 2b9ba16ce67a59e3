"""The executor: the technology that runs a job's processes (Docker, the host, a fake).

Order of calls: `probe`, then for each job `pull_image` for every image it needs, `open`, any number of
`Sandbox.run` (several may be running at once), and always, also after a failure or a cancellation of any
of these, `Sandbox.close`. `sweep` may be called at any time and by any process.

Files travel by folder, not by call: the engine writes into `SandboxSpec.folder` on its own machine, and a
process in the sandbox sees the same folder under another path (`Sandbox.inside`). An adapter that cannot
share a folder copies in `send` and `fetch`; for the others these two do nothing.

Output is two growing files per process. Who reads them, how fast, and whether anybody does, never
slows the process down.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Progress = Callable[[str], None]
"""Told one human-readable line at a time about long work ("pulling busybox: 3.1 of 8.0 MB")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """User and password for an image's registry; used in the pull call and nowhere else."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRef:
    """An image to run: its name, and how to be allowed to fetch it."""

    name: str
    credentials: Credentials | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a sandbox may use. None means the adapter's default, which is stated in its docs.

    Attributes:
        memory: bytes; swap is not allowed on top.
        cpus: a share of processors, 1.5 is one and a half.
        pids: processes and threads.
    """

    memory: int | None = None
    cpus: float | None = None
    pids: int | None = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerOptions:
    """The typed part of `container.options` and `services.*.options` that is allowed (reliability R24).

    Everything else is refused when the workflow is parsed; nothing here can loosen isolation.

    Attributes:
        user: `user[:group]` by name or number; None is the image's own.
        hostname: the container's host name.
        entrypoint: replaces the image's entry point (services and docker actions only).
        health_cmd: shell command that tells whether the service is ready; times in seconds.
        network_aliases: further names on the job's network.
        extra_hosts: `name:address` lines.
        tmpfs: paths that are memory file systems, with their mount options.
        shm_size: bytes of /dev/shm.
        ulimits: name to (soft, hard).
        labels: further labels; never in our own name space.
        read_only: whether the root file system is read-only.
        init: whether an init process reaps zombies.
        limits: what it may use.
    """

    user: str | None = None
    hostname: str | None = None
    entrypoint: str | None = None
    health_cmd: str | None = None
    health_interval: float | None = None
    health_timeout: float | None = None
    health_retries: int | None = None
    health_start_period: float | None = None
    network_aliases: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    shm_size: int | None = None
    ulimits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    read_only: bool = False
    init: bool = True
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class PortMapping:
    """A port of a container made reachable. `host` None lets the engine choose one."""

    container: int
    host: int | None = None
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A named volume (private to the job, removed with it) at a path in the container."""

    name: str
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """A helper container that lives as long as the job. `name` is also its host name on the job's network."""

    name: str
    image: ImageRef
    env: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[PortMapping, ...] = ()
    volumes: tuple[Volume, ...] = ()
    options: ContainerOptions = ContainerOptions()
    command: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSpec:
    """All that is needed to make a job's sandbox.

    Attributes:
        name: unique on the machine, `[a-z0-9][a-z0-9-]*`; containers are called `pawl-<name>`.
        owner: who will close it, as `sweep` gives it back to its caller.
        folder: the job's own folder on this machine. It exists, and holds `temp/` (RUNNER_TEMP), `files/`
            (GITHUB_ENV and its like), `actions/` and, unless `bind` is given, `workspace/`. The adapter may
            add `control/` and `home/`.
        bind: a folder of the user's own to work in, instead of `folder/workspace`.
        image: None only for an executor that has no images.
        env: environment of every process in it, under what the processes bring themselves.
        services: started before `open` returns, and healthy by then where they say how to tell.
        volumes, ports, options: as in `jobs.<id>.container`.
        job_container: whether the workflow asked for `container:` itself (else the image stands for a label).
        network: `bridge` (a network of its own) or `none`.
    """

    name: str
    owner: str
    folder: Path
    bind: Path | None = None
    image: ImageRef | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    services: tuple[ServiceSpec, ...] = ()
    volumes: tuple[Volume, ...] = ()
    ports: tuple[PortMapping, ...] = ()
    options: ContainerOptions = ContainerOptions()
    job_container: bool = False
    network: str = "bridge"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """One process of a step.

    Attributes:
        id: unique in the sandbox, `[a-z0-9-]+`.
        argv: program and arguments; paths in it are inside paths. Never a shell string.
        env: the whole environment of the step, on top of the sandbox's. A value None removes a variable.
        cwd: an inside path; a folder that does not exist makes an `Exit` with a reason.
        image: run in a container of its own from this image (a docker action) with the same folders,
            network and environment, instead of in the sandbox itself; `argv` is then the arguments,
            and `entrypoint` replaces the image's own.
    """

    id: str
    argv: Sequence[str]
    env: Mapping[str, str | None] = field(default_factory=dict)
    cwd: str | None = None
    image: ImageRef | None = None
    entrypoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a process ended.

    Attributes:
        code: the exit code; 128 + n when a signal n ended it, as shells say.
        signal: the signal's number, where one ended it.
        out_of_memory: whether the memory limit killed it.
        reason: what went wrong when the process could not be started or was lost, else None. A process
            that was lost (its sandbox died under it) has code 137 and a reason.
        by_executor: whether it was lost because what runs sandboxes went away, so that no step is to blame.
    """

    code: int
    signal: int | None = None
    out_of_memory: bool = False
    reason: str | None = None
    by_executor: bool = False


class Process(Protocol):
    """A running process of a step."""

    @property
    def stdout(self) -> Path:
        """Return the file its standard output grows in; complete once `wait` returned."""

    @property
    def stderr(self) -> Path:
        """Return the same for standard error."""

    async def wait(self) -> Exit:
        """Return how it ended, once it did and its output is complete. May be called again, and by several.

        Cancelling the wait does not stop the process.
        """

    async def signal(self, name: str) -> None:
        """Send INT, TERM or KILL to the process and all its descendants; nothing when it has ended."""


class Sandbox(Protocol):
    """A job's own machine, as far as its steps can tell."""

    @property
    def workspace(self) -> str:
        """Return the inside path of the workspace (GITHUB_WORKSPACE)."""

    @property
    def home(self) -> str:
        """Return the inside path that HOME should be; private to the job, writable."""

    @property
    def service_ports(self) -> Mapping[str, Mapping[str, int]]:
        """Return, by service, container port ("5432") to the port where the job reaches it."""

    @property
    def identity(self) -> Mapping[str, str]:
        """Return what `job.container` shows: `id` and `network`; empty without containers."""

    def inside(self, path: Path) -> str:
        """Return the path by which processes in the sandbox see `path`, a path in its folder or workspace.

        Raises:
            ValueError: when it is in neither.
        """

    async def find_programs(self, names: Collection[str]) -> frozenset[str]:
        """Return those of `names` that are programs in its PATH (`bash`, `python`, `node`, ...)."""

    async def run(self, process: ProcessSpec) -> Process:
        """Start a process and return at once.

        A program that cannot be started is no exception: `wait` then returns an `Exit` with the shell's
        code (126, 127) and a reason.

        Raises:
            InfrastructureError: when the sandbox is gone.
        """

    async def send(self, paths: Collection[Path]) -> None:
        """Make files the engine wrote under the folder visible inside, before a process that reads them."""

    async def fetch(self, paths: Collection[Path]) -> None:
        """Make what processes wrote under these paths visible to the engine, after a process ended."""

    async def close(self, *, keep: bool = False) -> tuple[str, ...]:
        """End every process and remove containers, networks, volumes. Idempotent; leftovers are no error.

        Returns what people should know of the job's surroundings, a text each: a service that had ended by
        itself, with its last output.

        Afterwards no process runs, and this user can remove every file in the folder. What costs nobody
        anything, such as an empty network, may go a little later: `Executor.aclose` waits for that. With
        `keep` the main container stays, running, for `pawl shell`; `sweep` spares it while its owner says so.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """What was pulled or found: the digest or id, its size, and the environment the image sets."""

    name: str
    digest: str
    size: int
    env: Mapping[str, str]
    user: str = ""


class Executor(Protocol):
    """Makes sandboxes. One instance serves many jobs at once."""

    @property
    def kind(self) -> str:
        """Return `docker`, `host` or `fake`."""

    @property
    def isolated(self) -> bool:
        """Return whether a job here is kept from the machine and from other jobs."""

    async def probe(self) -> str:
        """Return one line on what was found ("Docker Engine 28.2 at unix:///run/docker.sock").

        Raises:
            InfrastructureError: when it cannot be used, saying why and how to mend it. Within 10 seconds.
        """

    async def pull_image(self, image: ImageRef, progress: Progress) -> ImageFacts:
        """Make the image be there, pulling when it is absent; passing faults are tried again after 2, 4, 8 s.

        Raises:
            UsageError: the image does not exist, or we may not have it.
            InfrastructureError: the engine or registry failed for good.
        """

    async def open(self, spec: SandboxSpec, progress: Progress) -> Sandbox:
        """Make the sandbox, its network and its services, and return when all are ready.

        Whatever it had made is gone again when it raises or is cancelled.

        Raises:
            UsageError: what the workflow asks for cannot be had here (a container on the host executor,
                a service that exits or never gets healthy: its last output is in the message).
            InfrastructureError: the engine failed.
        """

    async def sweep(self, is_alive: Callable[[str], bool], *, dry_run: bool = False) -> tuple[str, ...]:
        """Remove what sandboxes of dead owners left; return what that was, a line each."""

    async def aclose(self) -> None:
        """Finish what `close` put off, and let go of connections. Open sandboxes are not touched."""
