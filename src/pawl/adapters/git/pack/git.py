"""Calling git on objects that are not trusted: fixed arguments, our configuration only, no program run."""

from __future__ import annotations

import asyncio
import contextlib
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import IO

from pawl.core.model.errors import InfrastructureError

_BLOCK = 1024 * 1024
_MOST_COMPLAINT = 4096
_SETTINGS = {
    "advice.detachedHead": "false",
    "core.alternateRefsCommand": "false",
    "core.attributesFile": os.devnull,
    "core.bigFileThreshold": "32m",  # larger files go through git's memory in pieces
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.sshCommand": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "safe.directory": "*",  # git refuses another user's repository because it could run programs; not here
    "submodule.recurse": "false",
}


class GitError(InfrastructureError):
    """Git could not do what was asked."""


class Git:
    """Git in one folder."""

    def __init__(self, folder: Path, *, seconds: float) -> None:
        """Work in `folder`; a command that tells nothing for `seconds` is ended."""
        self.folder = folder
        self._seconds = seconds

    async def start(
        self, *arguments: str, stdin: int | IO[bytes] = DEVNULL, stdout: int = PIPE, stderr: int = PIPE
    ) -> Process:
        """Return a process of git, which the caller ends.

        Raises:
            GitError: git cannot be run.
        """
        try:
            return await asyncio.create_subprocess_exec(
                "git", "--no-pager", *arguments,
                cwd=self.folder, env=_environment(), stdin=stdin, stdout=stdout, stderr=stderr,
            )  # fmt: skip
        except OSError as error:
            raise GitError(
                f"Git cannot be run in {self.folder}: {error.strerror}", hint="install git"
            ) from error

    async def stream(self, *arguments: str, stdin: int | IO[bytes] = DEVNULL) -> AsyncGenerator[bytes]:
        """Yield a command's output.

        Raises:
            GitError: it failed, at the end; or it told nothing for too long.
        """
        process = await self.start(*arguments, stdin=stdin)
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        assert process.stderr is not None  # noqa: S101 - it is a pipe
        complaint = asyncio.create_task(_beginning(process.stderr))
        try:
            while block := await self._read(process.stdout, arguments[0]):
                yield block
            said = (await complaint).decode("utf-8", "replace").strip()
            if await process.wait():
                raise GitError(f"`git {arguments[0]}` failed: {said[:500] or 'no reason was given'}")
        finally:
            complaint.cancel()
            await end(process)

    async def run(self, *arguments: str, stdin: int | IO[bytes] = DEVNULL) -> str:
        """Return the beginning of a command's output, without its newline.

        Raises:
            GitError: it failed.
        """
        told = b""
        async with contextlib.aclosing(self.stream(*arguments, stdin=stdin)) as output:
            async for block in output:
                told += block[: _BLOCK - len(told)]
        return told.decode("utf-8", "replace").removesuffix("\n")

    async def can(self, *arguments: str) -> bool:
        """Return whether a command succeeds."""
        try:
            await self.run(*arguments)
        except GitError:
            return False
        return True

    async def _read(self, stream: asyncio.StreamReader, command: str) -> bytes:
        try:
            async with asyncio.timeout(self._seconds):
                return await stream.read(_BLOCK)
        except TimeoutError as error:
            raise GitError(f"`git {command}` told nothing for {self._seconds:g} seconds") from error


async def end(process: Process) -> None:
    """End a process that still runs, and wait for its end."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _beginning(stream: asyncio.StreamReader) -> bytes:
    """Read all and return the beginning."""
    kept = b""
    while block := await stream.read(65_536):
        kept += block[: _MOST_COMPLAINT - len(kept)]
    return kept


def _environment() -> dict[str, str]:
    """Return an environment where no configuration but ours counts; no GIT_DIR of a hook leads elsewhere."""
    settings = {"GIT_CONFIG_COUNT": str(len(_SETTINGS))}
    for number, (name, value) in enumerate(_SETTINGS.items()):
        settings |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return {
        **{name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ},
        **settings,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "false",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_LITERAL_PATHSPECS": "1",
    }
