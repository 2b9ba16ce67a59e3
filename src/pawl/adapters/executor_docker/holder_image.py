"""The image of holders: one program that waits and does nothing else, made here so that nobody else's runs.

A holder lives beside one job after the other, so no workflow may have a say in what it executes: an image
that a job names would be one. What the engine has under our name is therefore compared with what we made.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

from aiodocker import Docker
from aiodocker.exceptions import DockerError

from pawl.adapters.executor_docker.errors import engine_errors
from pawl.adapters.executor_docker.naming import ROLE
from pawl.core.model.errors import InfrastructureError

PROGRAM = "/pawl-holder"
ARCHITECTURES = ("x86_64", "amd64")
"""As engines name the machines that the program is made for."""

NAME = "pawl-holder:1"
"""Under what people see the image on their engine."""

_BASE = 0x400000
_HEADERS = 0x40 + 0x38
# xor eax,eax; mov al,34 (pause); syscall; jmp to the beginning. Linux x86-64 system call table: 34 is pause.
_CODE = bytes.fromhex("31c0 b022 0f05 ebf8")


def program() -> bytes:
    """Return a static ELF executable that calls `pause` for ever (ELF-64 object file format, version 1.5)."""
    size = _HEADERS + len(_CODE)
    fields = (
        # e_ident: magic, 64 bits, little endian, version, padding; e_type executable; e_machine x86-64.
        (b"\x7fELF\x02\x01\x01", 16),
        (2, 2),
        (0x3E, 2),
        (1, 4),
        (_BASE + _HEADERS, 8),  # e_entry
        (0x40, 8),  # e_phoff: the one program header follows
        (0, 8),
        (0, 4),
        (0x40, 2),
        (0x38, 2),
        (1, 2),
        (0, 6),
        # Program header: load everything, readable and executable.
        (1, 4),
        (5, 4),
        (0, 8),
        (_BASE, 8),
        (_BASE, 8),
        (size, 8),
        (size, 8),
        (0x1000, 8),
    )
    return b"".join(_field(value, width) for value, width in fields) + _CODE


def _field(value: bytes | int, width: int) -> bytes:
    return value.ljust(width, b"\0") if isinstance(value, bytes) else value.to_bytes(width, "little")


def _archive(files: dict[str, bytes]) -> bytes:
    """Return a tar whose bytes depend on its content only."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o555
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _layer() -> bytes:
    return _archive({PROGRAM.removeprefix("/"): program()})


def _layer_digest() -> str:
    return f"sha256:{hashlib.sha256(_layer()).hexdigest()}"


def image_archive() -> bytes:
    """Return the image as `docker save` writes one (Docker image specification, version 1.2)."""
    told = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": [PROGRAM], "Labels": {ROLE: "holder"}},
        "rootfs": {"type": "layers", "diff_ids": [_layer_digest()]},
    }
    config = json.dumps(told, sort_keys=True).encode()
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": [NAME], "Layers": ["layer.tar"]}]
    return _archive({name: config, "layer.tar": _layer(), "manifest.json": json.dumps(manifest).encode()})


def is_ours(shown: Mapping[str, Any]) -> bool:
    """Return whether an image, as the engine shows it, holds our program and nothing else."""
    return (shown.get("RootFS") or {}).get("Layers") == [_layer_digest()]


async def holder_image(docker: Docker) -> str:
    """Return the id of the image, and give it to the engine first where it is not there.

    Raises:
        InfrastructureError: the engine does not take it.
    """
    with engine_errors("The image of network holders cannot be loaded"):
        found = await _find(docker)
        if found is None:
            await docker.images.import_image(image_archive())
            found = await _find(docker)
    if found is None:
        raise InfrastructureError("The image of network holders is not what was loaded")
    return found


async def _find(docker: Docker) -> str | None:
    try:
        shown = await docker.images.inspect(NAME)
    except DockerError as error:
        if error.status == 404:
            return None
        raise
    return str(shown["Id"]) if is_ours(shown) else None
