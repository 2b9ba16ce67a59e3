"""What every container we make is allowed: the defaults of reliability.md, section 4.2, as values.

Pure. Only the typed fields of `ContainerOptions` change anything here, and none of them loosens isolation:
no way leads to a privileged container, a device, a bind mount, a host name space or another profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from pawl.adapters.executor_docker.naming import INSIDE, OWNER, container_name
from pawl.core.model.errors import UsageError
from pawl.ports.executor import ContainerOptions, Volume

CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETUID", "SETGID", "KILL")
"""What package managers and servers that change their user need; everything else is dropped."""

OOM_SCORE = 500
"""When the machine itself runs out of memory, jobs go before the worker."""

_OPEN_FILES = (16384, 16384)  # an engine without CAP_SYS_RESOURCE cannot give more than it has itself
_SHM_SIZE = 64 * 1024 * 1024
_SYSTEM_PATHS = ("/proc", "/sys", "/dev")
_NANO = 1_000_000_000


def host_config(
    options: ContainerOptions,
    *,
    network: str,
    init: bool,
    default_memory: int | None,
    kept_log: bool = False,
) -> dict[str, Any]:
    """Return the `HostConfig` of a container, without its mounts.

    Args:
        options: what the workflow asked for.
        network: name of the network to be in, `none`, or `container:ID`.
        init: whether the engine has an init program.
        default_memory: bytes when the options name no limit; None is no limit.
        kept_log: whether the engine keeps the last output (services), at most 1 MB.
    """
    limits = options.limits
    memory = limits.memory or default_memory
    config: dict[str, Any] = {
        "NetworkMode": network,
        "CapDrop": ["ALL"],
        "CapAdd": list(CAPABILITIES),
        "SecurityOpt": ["no-new-privileges"],
        "Privileged": False,
        "Devices": [],
        "IpcMode": "private",
        "CgroupnsMode": "private",
        "PidsLimit": limits.pids or 1024,
        "OomScoreAdj": OOM_SCORE,
        "Init": init and options.init,
        "ReadonlyRootfs": options.read_only,
        "ShmSize": options.shm_size or _SHM_SIZE,
        "Ulimits": _ulimits(options.ulimits),
        "LogConfig": _log_config(kept=kept_log),
        "RestartPolicy": {"Name": "no"},
        "AutoRemove": False,
    }
    if memory:
        config |= {"Memory": memory, "MemorySwap": memory}
    if limits.cpus:
        config["NanoCpus"] = int(limits.cpus * _NANO)
    tmpfs = {check_target(path): how for path, how in options.tmpfs.items()}
    if options.read_only:
        tmpfs.setdefault("/tmp", "")  # noqa: S108 - a path in the container
    if tmpfs:
        config["Tmpfs"] = tmpfs
    if options.extra_hosts and not network.startswith("container:"):
        config["ExtraHosts"] = list(options.extra_hosts)
    return config


def _ulimits(wanted: Mapping[str, tuple[int, int]]) -> list[dict[str, Any]]:
    merged = {"core": (0, 0), "nofile": _OPEN_FILES, **wanted}
    return [{"Name": name, "Soft": soft, "Hard": hard} for name, (soft, hard) in merged.items()]


def _log_config(*, kept: bool) -> dict[str, Any]:
    if not kept:
        return {"Type": "none", "Config": {}}
    return {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}}


def check_target(target: str) -> str:
    """Return the normalised path where something may be mounted in a container.

    Raises:
        UsageError: it is relative, the root, one of the system's or ours.
    """
    path = PurePosixPath(target)
    plain = str(path)
    if not path.is_absolute() or ".." in path.parts or plain in ("/", "//"):
        raise UsageError(f"Nothing can be mounted at {target!r}", hint="name an absolute path below the root")
    if any(path.is_relative_to(taken) for taken in (*_SYSTEM_PATHS, INSIDE)):
        raise UsageError(f"Nothing can be mounted at {target!r}: the path is reserved")
    return plain


def bind_mount(source: str, target: str) -> dict[str, Any]:
    """Return the mount of one of the job's own folders."""
    return {"Type": "bind", "Source": source, "Target": target, "BindOptions": {"Propagation": "rprivate"}}


def volume_mounts(sandbox: str, owner: str, volumes: Sequence[Volume]) -> list[dict[str, Any]]:
    """Return the mounts of named volumes, which are made by this and are the job's own.

    Raises:
        UsageError: a target that may not be mounted on.
    """
    return [
        {
            "Type": "volume",
            "Source": container_name(sandbox, volume.name),
            "Target": check_target(volume.target),
            "ReadOnly": volume.read_only,
            "VolumeOptions": {"Labels": {"pawl.sandbox": sandbox, OWNER: owner}},
        }
        for volume in volumes
    ]


def health_check(options: ContainerOptions) -> dict[str, Any] | None:
    """Return the `Healthcheck` that the options ask for, else None: the image's own then counts."""
    if options.health_cmd is None:
        return None
    check: dict[str, Any] = {"Test": ["CMD-SHELL", options.health_cmd]}
    for key, seconds in (
        ("Interval", options.health_interval),
        ("Timeout", options.health_timeout),
        ("StartPeriod", options.health_start_period),
    ):
        if seconds is not None:
            check[key] = int(seconds * _NANO)
    if options.health_retries is not None:
        check["Retries"] = options.health_retries
    return check


def user_labels(wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the labels a workflow gives its containers; ours cannot be among them.

    Raises:
        UsageError: one is in our name space.
    """
    for name in wanted:
        if name.startswith("pawl."):
            raise UsageError(
                f"The label {name!r} is reserved", hint="choose a name that does not begin with pawl."
            )
    return dict(wanted)
