"""Calling git on repositories that are not trusted: fixed arguments, nothing that they name is run.

A repository can name programs for git to run: hooks, a file system monitor, filters, a pager, diff and ssh
commands. All are switched off here, above any configuration (architecture.md M11; reliability.md R44-R48).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TypeVar

from pawl.core.model.errors import InfrastructureError, TooLarge

MAX_OUTPUT = 256 * 1024 * 1024
"""Bytes of one command's output that is read whole; the list of a million files has about 60 MB."""

T = TypeVar("T")

_BLOCK = 1024 * 1024
_MOST_COMPLAINT = 65_536
_STANDING = {
    "advice.detachedHead": "false",
    "core.alternateRefsCommand": "false",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "core.quotePath": "false",
    "core.sshCommand": "false",
    "credential.helper": "",
    "diff.external": "",
    "gc.auto": "0",
    "log.showSignature": "false",
    "maintenance.auto": "false",
    # Git refuses another user's repository because it could run programs; here it cannot.
    "safe.directory": "*",
    "submodule.recurse": "false",
}
_APART = {
    "core.attributesFile": os.devnull,
    "core.bigFileThreshold": "32m",  # larger files go through git's memory in pieces
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
}
_USERS_VARIABLES = ("HOME", "LOGNAME", "USER", "XDG_CONFIG_HOME")


class GitError(InfrastructureError):
    """Git could not do what was asked."""

    def __init__(self, message: str, *, hint: str | None = None, said: str = "") -> None:
        """Take what happened and what git said on its standard error."""
        self.said = said
        super().__init__(message, hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What git may do, above any configuration that it finds.

    Attributes:
        settings: of git by name, above the standing ones.
        variables: of its environment besides; never shown, as credentials travel in them.
        protocols: that it may fetch by, with colons between; none of itself.
        own_configuration: whether the user's and the machine's count too, below these.
        seconds: that a command may go without telling anything.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    protocols: str = ""
    own_configuration: bool = False
    seconds: float = 120.0


class Git:
    """Git in one folder."""

    def __init__(self, folder: Path, rules: Rules | None = None) -> None:
        """Work in `folder`, by `rules`."""
        self.folder = folder
        self.rules = rules or Rules()

    def with_settings(self, settings: Mapping[str, str]) -> Git:
        """Return git in the same folder with more settings above its configuration."""
        return Git(self.folder, replace(self.rules, settings={**self.rules.settings, **settings}))

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
                cwd=self.folder, env=_environment(self.rules), stdin=stdin, stdout=stdout, stderr=stderr,
                # What talks to a host for git must end with it, even when the host says nothing.
                start_new_session=bool(self.rules.protocols),
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
        try:
            async with contextlib.aclosing(self._output(process, arguments[0])) as output:
                async for block in output:
                    yield block
        finally:
            await end(process)

    async def read(
        self, *arguments: str, fails: Sequence[int] = (), stdin: int | IO[bytes] = DEVNULL
    ) -> bytes | None:
        """Return the whole output of a command; None when it ended with one of the codes in `fails`.

        Raises:
            GitError: there is no git, it failed otherwise, or told nothing for too long.
            TooLarge: the output has more than `MAX_OUTPUT` bytes.
        """
        blocks: list[bytes] = []
        size = 0
        process = await self.start(*arguments, stdin=stdin)
        try:
            async with contextlib.aclosing(self._output(process, arguments[0], fails)) as output:
                async for block in output:
                    blocks.append(block)
                    size += len(block)
                    if size > MAX_OUTPUT:
                        raise TooLarge(f"`git {arguments[0]}` tells more than {MAX_OUTPUT} bytes")
        finally:
            await end(process)
        return None if process.returncode in fails else b"".join(blocks)

    async def run(self, *arguments: str, stdin: int | IO[bytes] = DEVNULL) -> str:
        """Return the output of a command without its newline.

        Raises:
            GitError: it failed.
        """
        return _text(await self.read(*arguments, stdin=stdin))

    async def line(self, *arguments: str, fails: Sequence[int] = (1, 128, 129)) -> str:
        """Return the output of a command without its newline, '' when it failed with a code in `fails`."""
        return _text(await self.read(*arguments, fails=fails))

    async def can(self, *arguments: str) -> bool:
        """Return whether a command succeeds."""
        try:
            await self.run(*arguments)
        except GitError:
            return False
        return True

    async def without_filters(self) -> Git:
        """Return git that also runs no content filter of the repository's own configuration.

        Filters that the user set up for all repositories (`git lfs install`) stay.
        """
        what = ("--includes", "--show-scope", "--name-only", "-z", "--get-regexp", r"^filter\.")
        words = (await self.line("config", *what, fails=(1, 128))).split("\0")
        settings: dict[str, str] = {}
        for scope, name in zip(words[0::2], words[1::2], strict=False):
            if scope in ("local", "worktree"):
                driver = name.rpartition(".")[0]
                settings |= {f"{driver}.{key}": "" for key in ("clean", "smudge", "process")}
                settings[f"{driver}.required"] = "false"
        return self.with_settings(settings)

    async def _output(
        self, process: Process, command: str, fails: Sequence[int] = ()
    ) -> AsyncGenerator[bytes]:
        assert process.stdout is not None  # noqa: S101 - both are pipes
        assert process.stderr is not None  # noqa: S101 - as above
        complaint = asyncio.create_task(_beginning(process.stderr))
        try:
            while block := await self._within(process.stdout.read(_BLOCK), command):
                yield block
            code = await self._within(process.wait(), command)
            if code and code not in fails:
                said = (await complaint).decode("utf-8", "replace").strip()
                told = said[:500] or "no reason was given"
                raise GitError(f"`git {command}` failed in {self.folder}: {told}", said=said)
        finally:
            complaint.cancel()

    async def _within(self, work: Awaitable[T], command: str) -> T:
        try:
            async with asyncio.timeout(self.rules.seconds):
                return await work
        except TimeoutError as error:
            raise GitError(f"`git {command}` told nothing for {self.rules.seconds:g} seconds") from error


def git_is_there() -> bool:
    """Return whether there is a git to call."""
    return shutil.which("git") is not None


async def end(process: Process) -> None:
    """End a process that still runs, with those it started in a session of its own; wait for its end."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            leads = os.getpgid(process.pid) == process.pid
            (os.killpg if leads else os.kill)(process.pid, signal.SIGKILL)
        await process.wait()


async def _beginning(stream: asyncio.StreamReader) -> bytes:
    """Read all and return the beginning."""
    kept = b""
    while block := await stream.read(65_536):
        kept += block[: _MOST_COMPLAINT - len(kept)]
    return kept


def _text(output: bytes | None) -> str:
    return "" if output is None else output.decode("utf-8", "surrogateescape").removesuffix("\n")


def _environment(rules: Rules) -> dict[str, str]:
    """Return a clean environment: a GIT_DIR of a hook we may run in must not lead elsewhere."""
    kept = ("PATH", "TMPDIR", *(_USERS_VARIABLES if rules.own_configuration else ()))
    settings = {**_STANDING, **({} if rules.own_configuration else _APART), **rules.settings}
    told = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        told |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    apart = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_ATTR_NOSYSTEM": "1"}
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        **told,
        **({} if rules.own_configuration else apart),
        "LC_ALL": "C.UTF-8",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "false",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": rules.protocols,
        **({} if rules.own_configuration else {"GIT_LITERAL_PATHSPECS": "1"}),
        **rules.variables,
    }
