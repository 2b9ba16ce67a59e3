"""Git's smart HTTP for small hosts: a request goes to `git http-backend`, and its answer comes back whole."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

APART: Final[Mapping[str, str]] = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
}
"""What keeps a machine's configuration of git out."""
_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class GitAnswer:
    """What git answers: a status of HTTP, headers without `Content-Length`, and a body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def git_environment(**more: str) -> dict[str, str]:
    """Return this process's environment for git, without what would change how git works."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, **APART, **more}


def answer_git(root: Path, method: str, path: str, headers: Mapping[str, str], body: bytes) -> GitAnswer:
    """Return what git answers for the bare repositories below `root`.

    Args:
        root: every repository in it is shown; one takes pushes where `http.receivepack` is set.
        method: of the request.
        path: as it was sent, with its query.
        headers: of the request, in upper or lower case.
        body: of the request, whole.

    Raises:
        OSError: there is no git.
        subprocess.TimeoutExpired: git did not end within a minute.
    """
    parts, given = urlsplit(path), _lowered(headers)
    environment = git_environment(
        GIT_PROJECT_ROOT=str(root),
        GIT_HTTP_EXPORT_ALL="1",
        PATH_INFO=unquote(parts.path),
        QUERY_STRING=parts.query,
        REQUEST_METHOD=method,
        CONTENT_TYPE=given.get("content-type", ""),
        CONTENT_LENGTH=str(len(body)),
        HTTP_CONTENT_ENCODING=given.get("content-encoding", ""),
        GIT_PROTOCOL=given.get("git-protocol", ""),
        REMOTE_USER="somebody",
        REMOTE_ADDR="127.0.0.1",
    )
    command = ["git", "-c", "safe.directory=*", "http-backend"]
    done = subprocess.run(
        command, env=environment, input=body, capture_output=True, check=False, timeout=_SECONDS
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    told = [line.partition(": ")[::2] for line in head.decode("latin-1").splitlines()]
    status = next((value for name, value in told if name == "Status"), "200 OK" if told else "500")
    kept = tuple((name, value) for name, value in told if name and name != "Status")
    return GitAnswer(status=int(status.split()[0]), headers=kept, body=content)


def read_body(headers: Mapping[str, str], stream: BufferedIOBase) -> bytes:
    """Return the body of a request of HTTP/1.1; git sends large ones in chunks.

    Raises:
        ValueError: a length is no number.
    """
    given = _lowered(headers)
    if given.get("transfer-encoding", "").lower() != "chunked":
        return stream.read(int(given.get("content-length") or 0))
    blocks = []
    while size := int(stream.readline().split(b";")[0], 16):
        blocks.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(blocks)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
