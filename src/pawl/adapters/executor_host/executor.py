"""The host executor: jobs are processes of this machine and this user.

Nothing keeps a job from the machine or from other jobs, memory and process limits are not applied, and
containers, services and docker actions are refused. What it does promise: a clean environment, a HOME and a
TMPDIR of the job's own, and that no process of the job is left after `close`, nor after `sweep` when Pawl was
killed. Off Linux the last holds for processes that stay in their step's process group.
"""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Callable

from pawl.adapters.executor_host.marks import find_foreign_marks, kill_marked
from pawl.adapters.executor_host.sandbox import HostSandbox
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.ports.executor import ImageFacts, ImageRef, Progress, SandboxSpec

_MEND = "use the docker executor: start a container engine and run with --executor docker"


class HostExecutor:
    """Makes sandboxes that are only folders and process groups."""

    @property
    def kind(self) -> str:
        """Return `host`."""
        return "host"

    @property
    def isolated(self) -> bool:
        """Return False: a job can do whatever this user can."""
        return False

    async def probe(self) -> str:
        """Return what this machine is; the host executor needs nothing but a POSIX system.

        Raises:
            InfrastructureError: on a system without process groups.
        """
        if os.name != "posix":
            raise InfrastructureError("The host executor needs a POSIX system", hint=_MEND)
        return f"this machine ({platform.system()} {platform.machine()}), no isolation"

    async def pull_image(self, image: ImageRef, progress: Progress) -> ImageFacts:  # noqa: ARG002 - the port's
        """Refuse: there are no images here.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"The host executor cannot use the image {image.name}", hint=_MEND)

    async def open(self, spec: SandboxSpec, progress: Progress) -> HostSandbox:  # noqa: ARG002 - the port's
        """Make the job's private folders. `spec.image` is ignored when it only stands for a label.

        Raises:
            UsageError: the workflow asks for a container, services or to be cut off the network.
            InfrastructureError: the folder cannot be written.
        """
        _refuse_containers(spec)
        try:
            return HostSandbox(spec)
        except OSError as error:
            raise InfrastructureError(
                f"The job's folder {spec.folder} cannot be prepared: {error.strerror}"
            ) from error

    async def sweep(self, is_alive: Callable[[str], bool], *, dry_run: bool = False) -> tuple[str, ...]:
        """Kill processes that sandboxes of dead owners left; say what, a line for each sandbox."""
        lines = []
        for mark in await asyncio.to_thread(find_foreign_marks):
            if is_alive(mark.owner):
                continue
            if not dry_run:
                await kill_marked(lambda other, mark=mark: other.same_sandbox(mark))  # type: ignore[misc]  # bound early
            lines.append(f"processes of {mark.sandbox}")
        return tuple(lines)

    async def aclose(self) -> None:
        """Do nothing: there are no connections."""


def _refuse_containers(spec: SandboxSpec) -> None:
    if spec.job_container:
        raise UsageError("The host executor cannot run a job with `container:`", hint=_MEND)
    if spec.services:
        names = ", ".join(service.name for service in spec.services)
        raise UsageError(f"The host executor cannot start services ({names})", hint=_MEND)
    if spec.network == "none":
        raise UsageError("The host executor cannot cut a job off the network", hint=_MEND)
