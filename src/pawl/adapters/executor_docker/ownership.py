"""Who owns what a job writes: this user can remove it, and none of root's lies in the user's own tree."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError

from pawl.adapters.executor_docker.engine import EngineFacts
from pawl.adapters.executor_docker.opening import Place
from pawl.ports.executor import SandboxSpec

_MOST_LOOKED_AT = 200_000


def choose_user(spec: SandboxSpec, facts: EngineFacts) -> str:
    """Return the user that the job's containers run as, `uid:gid`, or empty for the image's own.

    What the workflow names counts first. In a user's own tree it is the tree's owner: nobody else's files are
    made there. On a rootless engine root inside is that user already.
    """
    if spec.options.user:
        return spec.options.user
    if spec.bind is None or facts.rootless:
        return ""
    owner = spec.bind.stat()
    return f"{owner.st_uid}:{owner.st_gid}" if owner.st_uid != 0 else ""


def _foreign(root: Path, uid: int) -> Iterator[Path]:
    """Yield what is not the user's below a folder; links are not followed."""
    seen = 0
    for folder, names, files in os.walk(root):
        for name in (*names, *files):
            seen += 1
            if seen > _MOST_LOOKED_AT:
                return
            path = Path(folder, name)
            with suppress(OSError):
                if path.lstat().st_uid != uid:
                    yield path


async def give_back(place: Place, container: DockerContainer) -> None:
    """Make everything in the job's folders belong to who owned them before."""
    for outside, inside in place.layout.folders.items():
        try:
            owner = outside.stat()
        except OSError:
            continue
        if os.getuid() == 0 and owner.st_uid == 0:
            continue  # root can remove everything, and what is its own may be root's
        if place.facts.rootless or next(_foreign(outside, owner.st_uid), None) is None:
            continue
        await _change_owner(container, inside, f"{owner.st_uid}:{owner.st_gid}")


async def _change_owner(container: DockerContainer, inside: str, owner: str) -> None:
    # The container may be gone or have lost its chown; `sweep` and the caller's own removal then say so.
    with suppress(DockerError, OSError):
        call = await container.exec(["chown", "-hR", owner, inside], user="0:0")
        async with call.start(detach=False) as stream:
            while await stream.read_out() is not None:
                pass
