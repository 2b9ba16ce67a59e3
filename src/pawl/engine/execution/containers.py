"""`container:` and `services:` of a job, rendered, as what the executor port takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pawl.core.expressions import ExpressionError
from pawl.core.model.errors import UsageError
from pawl.core.model.plan import Json
from pawl.core.planning.render import as_text_map
from pawl.core.workflow.container_volumes import is_machine_folder
from pawl.engine.execution.container_options import container_options
from pawl.ports.executor import ContainerOptions, Credentials, ImageRef, PortMapping, ServiceSpec, Volume

_PORT = re.compile(
    r"(?:(?P<address>[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9a-fA-F:]{2,45}\]):)?"
    r"(?:(?P<host>[0-9]{0,5}):)?(?P<port>[0-9]{1,5})(?:/(?P<protocol>tcp|udp|sctp))?"
)
_VOLUME_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")
_HIGHEST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """What a rendered `container:` or one service asks for."""

    image: ImageRef
    env: Mapping[str, str]
    ports: tuple[PortMapping, ...]
    volumes: tuple[Volume, ...]
    options: ContainerOptions
    command: str | None = None


def parse_container(data: Json, *, where: str, fill_in: Callable[[str], str] = str) -> ContainerSpec | None:
    """Return the container that rendered data asks for; None when it names no image.

    A container with an empty image is no container, so that an expression can turn it off (GitHub
    documentation, workflow syntax, `services.<id>.image`).

    Args:
        data: an image's name, or a mapping with `image`, `credentials`, `env`, `ports`, `volumes`, `options`.
        where: the place in the workflow, for messages ("`services.db`").
        fill_in: replaces the variables in the image's name.

    Raises:
        UsageError: a port, volume or option that cannot be had, or data of the wrong shape.
    """
    fields = data if isinstance(data, dict) else {"image": data}
    image = fields.get("image")
    if image is not None and not isinstance(image, str):
        raise UsageError(f"{where}: `image` is not text")
    name = fill_in(image or "").strip().removeprefix("docker://")
    if not name:
        return None
    command = fields.get("command")
    return ContainerSpec(
        image=ImageRef(name=name, credentials=_credentials(fields.get("credentials"), where)),
        env=_environment(fields.get("env"), where),
        ports=tuple(parse_port(item, where=where) for item in _items(fields.get("ports"), f"{where}.ports")),
        volumes=tuple(
            parse_volume(item, where=where) for item in _items(fields.get("volumes"), f"{where}.volumes")
        ),
        options=container_options(str(fields.get("options") or ""), where=where),
        command=str(command) if command else None,
    )


def parse_services(data: Json, *, fill_in: Callable[[str], str] = str) -> tuple[ServiceSpec, ...]:
    """Return the services of rendered `services:`; those without an image are left out.

    Raises:
        UsageError: as for `parse_container`.
    """
    if data is None:
        return ()
    if not isinstance(data, dict):
        raise UsageError("`services` is not a mapping of names to services")
    found = []
    for name, service in data.items():
        spec = parse_container(service, where=f"`services.{name}`", fill_in=fill_in)
        if spec is not None:
            found.append(
                ServiceSpec(
                    name=name,
                    image=spec.image,
                    env=spec.env,
                    ports=spec.ports,
                    volumes=spec.volumes,
                    options=spec.options,
                    command=spec.command,
                )
            )
    return tuple(found)


def parse_port(data: Json, *, where: str) -> PortMapping:
    """Return one entry of `ports`: `80`, `8080:80`, `80/udp`, `127.0.0.1:8080:80`.

    The address is dropped: published ports are only ever open on the loopback interface.

    Raises:
        UsageError: it is none of these.
    """
    text = str(int(data)) if isinstance(data, int | float) and not isinstance(data, bool) else data
    match = _PORT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise UsageError(f"{where}: `{str(data)[:100]}` is no port", hint="write `80`, `8080:80` or `53/udp`")
    host, port = match["host"], int(match["port"])
    if not 0 < port <= _HIGHEST_PORT or int(host or 0) > _HIGHEST_PORT:
        raise UsageError(f"{where}: port `{text}` is out of range", hint="ports go from 1 to 65535")
    return PortMapping(
        container=port, host=int(host) if host and int(host) else None, protocol=match["protocol"] or "tcp"
    )


def parse_volume(data: Json, *, where: str) -> Volume:
    """Return one entry of `volumes`: `name:/path`, with `:ro` or `:rw` at the end if you like, or `/path`.

    Raises:
        UsageError: it is none of these, or names a folder of the machine (reliability R24, R26).
    """
    text = data if isinstance(data, str) else ""
    parts = text.split(":")
    read_only = len(parts) > 1 and parts[-1] == "ro"
    if len(parts) > 1 and parts[-1] in ("ro", "rw"):
        parts.pop()
    if len(parts) == 1:
        parts.insert(0, "anonymous-" + re.sub(r"[^a-zA-Z0-9]+", "-", parts[0]).strip("-"))
    name, target = parts if len(parts) == 2 else ("", "")
    if is_machine_folder(text):
        raise UsageError(
            f"{where}: the volume `{text[:100]}` is a folder of the machine, which jobs do not get",
            hint="use a named volume (`name:/path`), or copy what the job needs into the workspace",
        )
    if not _VOLUME_NAME.fullmatch(name) or not target.startswith("/") or ".." in target.split("/"):
        raise UsageError(f"{where}: `{str(data)[:100]}` is no volume", hint="write `name:/path` or `/path`")
    return Volume(name=name, target=target, read_only=read_only)


def _credentials(data: Json, where: str) -> Credentials | None:
    if not isinstance(data, dict):
        return None
    username, password = data.get("username"), data.get("password")
    if not username and not password:
        return None
    if not username or not password:
        raise UsageError(f"{where}: `credentials` needs both `username` and `password`, and one is empty")
    return Credentials(username=str(username), password=str(password))


def _environment(data: Json, where: str) -> dict[str, str]:
    try:
        return as_text_map(data, f"`env` of {where}")
    except ExpressionError as error:
        raise UsageError(str(error)) from error


def _items(data: Json, where: str) -> list[Json]:
    if data is None or data == "":
        return []
    if not isinstance(data, list):
        raise UsageError(f"{where} is not a list")
    return data
