"""Calling git on a repository that is not trusted: fixed arguments, nothing of its configuration runs.

A repository can name programs for git to run: hooks, a file system monitor, filters, a pager, diff and ssh
commands. All are switched off here, above the repository's own configuration (architecture.md M11;
reliability.md R44-R48). Nothing is written to it: no lock is taken, the index is not refreshed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pawl.core.model.errors import InfrastructureError

MAX_OUTPUT = 256 * 1024 * 1024
"""Bytes of one command's output; the list of a million files has about 60 MB."""

TIMEOUT = 120.0
"""Seconds for one command."""

_SETTINGS = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "core.quotePath": "false",
    "core.sshCommand": "false",
    "core.alternateRefsCommand": "false",
    "credential.helper": "",
    "diff.external": "",
    "gc.auto": "0",
    "log.showSignature": "false",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
    # Git refuses another user's repository because it could run programs; here it cannot.
    "safe.directory": "*",
}
_KEPT_VARIABLES = ("HOME", "LOGNAME", "PATH", "TMPDIR", "USER", "XDG_CONFIG_HOME")


class GitError(InfrastructureError):
    """Git could not do what was asked."""


class Git:
    """Git in one folder."""

    def __init__(
        self, folder: Path, settings: Mapping[str, str] | None = None, *, protocol: str = "none"
    ) -> None:
        """Work in `folder`.

        Args:
            folder: where git is called.
            settings: stand above git's configuration, besides the standing ones.
            protocol: the one protocol that may be used to fetch.
        """
        self.folder = folder
        self._settings = {**_SETTINGS, **(settings or {})}
        self._protocol = protocol

    async def read(self, *arguments: str, fails: Sequence[int] = ()) -> bytes | None:
        """Return the output of a command; None when it ended with one of the codes in `fails`.

        Raises:
            GitError: there is no git, it failed otherwise, or it passed a limit.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                "git",
                "--no-pager",
                *arguments,
                cwd=self.folder,
                env=self._environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise GitError(f"Git cannot be run in {self.folder}: {error.strerror}") from error
        try:
            async with asyncio.timeout(TIMEOUT):
                output, complaint = await _communicate(process)
        except TimeoutError as error:
            raise GitError(f"`git {arguments[0]}` took longer than {TIMEOUT:g} seconds") from error
        finally:
            await _end(process)
        if process.returncode in fails:
            return None
        if process.returncode or len(output) > MAX_OUTPUT:
            said = complaint.decode("utf-8", "replace").strip()[:500] or "no reason was given"
            raise GitError(f"`git {arguments[0]}` failed in {self.folder}: {said}")
        return output

    async def line(self, *arguments: str, fails: Sequence[int] = (1, 128, 129)) -> str:
        """Return the output of a command without its newline, '' when it failed with a code in `fails`."""
        output = await self.read(*arguments, fails=fails)
        return "" if output is None else output.decode("utf-8", "surrogateescape").removesuffix("\n")

    async def without_filters(self) -> Git:
        """Return git that also runs no content filter of the repository's own configuration.

        Filters that the user set up for all repositories (`git lfs install`) stay.
        """
        what = ("--includes", "--show-scope", "--name-only", "-z", "--get-regexp", r"^filter\.")
        told = await self.read("config", *what, fails=(1, 128))
        words = (told or b"").decode("utf-8", "surrogateescape").split("\0")
        settings: dict[str, str] = {}
        for scope, name in zip(words[0::2], words[1::2], strict=False):
            if scope in ("local", "worktree"):
                driver = name.rpartition(".")[0]
                settings |= {f"{driver}.{key}": "" for key in ("clean", "smudge", "process")}
                settings[f"{driver}.required"] = "false"
        return Git(self.folder, {**self._settings, **settings})

    def _environment(self) -> dict[str, str]:
        """Return a clean environment: a GIT_DIR of a hook we may run in must not lead elsewhere."""
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        settings = {"GIT_CONFIG_COUNT": str(len(self._settings))}
        for number, (name, value) in enumerate(self._settings.items()):
            settings |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        return {
            **kept,
            **settings,
            "LC_ALL": "C.UTF-8",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "false",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": self._protocol,
        }


def git_is_there() -> bool:
    """Return whether there is a git to call."""
    return shutil.which("git") is not None


async def _communicate(process: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    """Return both outputs; of the first at most one byte more than `MAX_OUTPUT` allows."""
    assert process.stdout is not None  # noqa: S101 - both are pipes
    assert process.stderr is not None  # noqa: S101 - both are pipes
    output, complaint = await asyncio.gather(
        _read_up_to(process.stdout, MAX_OUTPUT + 1), _read_up_to(process.stderr, 65_536)
    )
    if len(output) <= MAX_OUTPUT:
        await process.wait()
    return output, complaint


async def _read_up_to(stream: asyncio.StreamReader, limit: int) -> bytes:
    blocks: list[bytes] = []
    left = limit
    while left > 0 and (block := await stream.read(min(left, 1_048_576))):
        blocks.append(block)
        left -= len(block)
    return b"".join(blocks)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
