"""Who owns what a job writes: this user can remove it, and none of root's lies in the user's own tree."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError

from pawl.adapters.executor_docker.engine import EngineFacts
from pawl.adapters.executor_docker.naming import INSIDE
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


def open_to_all(root: Path) -> None:
    """Let everybody write below a folder: for a container whose user is neither root nor us."""
    for folder, _, files in os.walk(root):
        Path(folder).chmod(0o777)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o666)


def is_ordinary(user: str) -> bool:
    """Return whether a container's user, as the engine or a workflow names it, is not root."""
    return user.partition(":")[0] not in ("", "0", "root")


async def give_back(folders: Mapping[Path, str], container: DockerContainer, *, rootless: bool) -> None:
    """Make everything in a job's folders belong to the owner of each.

    Args:
        folders: inside path by outside path.
        container: one that has them; it is started again where it has ended.
        rootless: whether root in it is this user, so that nothing needs to be done.
    """
    if rootless:
        return
    for outside, inside in folders.items():
        try:
            owner = outside.stat()
        except OSError:
            continue
        if os.getuid() == 0 and owner.st_uid == 0:
            continue  # root can remove everything, and what is in a tree of root's may be root's
        if next(_foreign(outside, owner.st_uid), None) is not None:
            await _change_owner(container, inside, f"{owner.st_uid}:{owner.st_gid}")


async def give_back_mounts(container: DockerContainer) -> None:
    """Do the same for a container that another process made: its mounts say what its folders are."""
    with suppress(DockerError, OSError):
        mounts = (await container.show()).get("Mounts") or ()
        folders = {
            Path(mount["Source"]): str(mount["Destination"])
            for mount in mounts
            if mount.get("Type") == "bind" and str(mount.get("Destination", "")).startswith(f"{INSIDE}/")
        }
        await give_back(folders, container, rootless=False)


async def _change_owner(container: DockerContainer, inside: str, owner: str) -> None:
    # It may be gone, or a job have spoiled its chown: the caller's own removal of the files then says so.
    with suppress(DockerError, OSError):
        if not (await container.show())["State"]["Running"]:
            await container.start()
        call = await container.exec(["chown", "-hR", owner, inside], user="0:0")
        async with call.start(detach=False) as stream:
            while await stream.read_out() is not None:
                pass
