"""A sandbox whose folders cannot be shared (a remote engine): exec calls in place of the resident shell.

Slower, about 70 ms a process, and nothing is seen on the other side before `send` or `fetch`. The container's
main process only waits.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError
from aiodocker.execs import Exec
from aiodocker.stream import Stream

from pawl.adapters.executor_docker.copying import pack, unpack
from pawl.adapters.executor_docker.errors import engine_errors
from pawl.adapters.executor_docker.layout import CONTROL, Layout
from pawl.adapters.executor_docker.process import explain
from pawl.adapters.executor_docker.sandbox import DockerSandbox
from pawl.adapters.executor_docker.streams import copy_output, open_exec, read_output
from pawl.adapters.executor_docker.supervisor import OOM_COUNT, SEND_SIGNAL, start_script
from pawl.core.model.errors import InfrastructureError, PawlError, UsageError
from pawl.ports.executor import Exit, Process, ProcessSpec

# The script comes on standard input: its values are in no argument and no file. `head` needs no end of input.
_RUN = 'echo $$ >"$1/$2.pid"; pawl_text=$(head -c "$3"); exec </dev/null; eval "$pawl_text"'
_UNPACK = 'head -c "$1" | tar -xof - -C /'
_BLOCK = 256 * 1024


class ExecProcess:
    """A process started by an exec call; its output comes over the engine's connection."""

    def __init__(
        self, container: DockerContainer, folder: Path, identity: str, reasons: Mapping[str, str]
    ) -> None:
        self._container = container
        self._id = identity
        self._reasons = reasons
        self._stdout = folder / f"{identity}.out"
        self._stderr = folder / f"{identity}.err"
        self._life: asyncio.Task[Exit] | None = None

    @property
    def stdout(self) -> Path:
        """Return the file its standard output grows in."""
        return self._stdout

    @property
    def stderr(self) -> Path:
        """Return the same for standard error."""
        return self._stderr

    async def start(self, script: bytes) -> None:
        """Start it, and go on in the background.

        Raises:
            InfrastructureError: the engine failed.
        """
        with engine_errors("The process cannot be started"):
            before = await read_output(self._container, ["/bin/sh", "-c", OOM_COUNT])
            call, stream = await open_exec(
                self._container,
                ["/bin/sh", "-c", _RUN, "pawl", CONTROL, self._id, str(len(script))],
                stdin=True,
            )
        self._stdout.touch(mode=0o600)
        self._stderr.touch(mode=0o600)
        self._life = asyncio.create_task(self._live(call, stream, script, before), name=f"exec {self._id}")

    async def _live(self, call: Exec, stream: Stream, script: bytes, ooms: bytes) -> Exit:
        try:
            with engine_errors("The job's container was lost"):
                await stream.write_in(script)
                await copy_output(stream, self._stdout, self._stderr)
                code = int((await call.inspect()).get("ExitCode") or 0)
                return await self._end(code, ooms)
        except PawlError as error:
            return Exit(code=137, reason=error.message)
        finally:
            await stream.close()

    async def _end(self, code: int, ooms: bytes) -> Exit:
        reason = None
        killed = code != 0 and await read_output(self._container, ["/bin/sh", "-c", OOM_COUNT]) != ooms
        if code in (126, 127):
            why = await read_output(self._container, ["/bin/cat", f"{CONTROL}/{self._id}.why"])
            reason = self._reasons.get(why.decode("ascii", "replace").strip())
        signal = code - 128 if 128 < code <= 128 + 31 else None
        return Exit(code=code, signal=signal, out_of_memory=killed, reason=reason)

    async def wait(self) -> Exit:
        """Return how it ended. Cancelling the wait does not stop it."""
        if self._life is None:
            return Exit(code=137, reason="the process was not started")
        return await asyncio.shield(self._life)

    async def signal(self, name: str) -> None:
        """Send INT, TERM or KILL to the process and all its descendants; nothing when it has ended."""
        if self._life is None or self._life.done():
            return
        with suppress(DockerError, OSError):
            await read_output(
                self._container, ["/bin/sh", "-c", SEND_SIGNAL, "pawl", CONTROL, self._id, name]
            )


class CopiedSandbox(DockerSandbox):
    """Starts processes by exec calls, and copies files both ways."""

    async def _start(self, process: ProcessSpec, env: Mapping[str, str | None], cwd: str) -> Process:
        control = self._it.control.path
        reasons = explain(process.argv[0], cwd)
        started = ExecProcess(self._it.container, control, process.id, reasons)
        await started.start(start_script(CONTROL, process.id, process.argv, env, cwd))
        return started

    async def _start_action(self, process: ProcessSpec, env: Mapping[str, str]) -> Process:
        del env
        name = process.image.name if process.image else "?"
        raise UsageError(
            f"The docker action {name} needs an engine that shares this machine's folders",
            hint="run it on the machine where the engine is",
        )

    async def send(self, paths: Collection[Path]) -> None:
        """Copy files and folders into the container, by a `tar` in it.

        Raises:
            InfrastructureError: that failed.
        """
        with tempfile.TemporaryFile() as file, engine_errors("Files cannot be sent to the job"):
            await asyncio.to_thread(pack, {path: self.inside(path) for path in paths}, file)
            argv = ["/bin/sh", "-c", _UNPACK, "pawl", str(file.tell())]
            _, stream = await open_exec(self._it.container, argv, stdin=True)
            file.seek(0)
            await _talk(stream, file)

    async def fetch(self, paths: Collection[Path]) -> None:
        """Copy regular files and folders out of the container, by a `tar` in it.

        Raises:
            InfrastructureError: that failed, or they are too many or too large.
        """
        wanted = [self.inside(path) for path in paths]
        script = 'for p; do [ ! -e "$p" ] || set -- "$@" "${p#/}"; shift; done; exec tar -cf - -C / "$@"'
        with tempfile.NamedTemporaryFile() as file, engine_errors("The job's files cannot be fetched"):
            _, stream = await open_exec(self._it.container, ["/bin/sh", "-c", script, "pawl", *wanted])
            try:
                await copy_output(stream, Path(file.name), Path("/dev/null"))
            finally:
                await stream.close()
            await asyncio.to_thread(_unpack_file, Path(file.name), wanted, self._it.place.layout)


def _unpack_file(path: Path, wanted: Collection[str], layout: Layout) -> None:
    if path.stat().st_size:
        with path.open("rb") as archive:
            unpack(archive, wanted, layout.outside)


async def _talk(stream: Stream, content: IO[bytes]) -> None:
    """Give a program its input, and wait until it has ended."""
    said = b""
    try:
        while block := content.read(_BLOCK):
            await stream.write_in(block)
        while (message := await stream.read_out()) is not None:
            said = (said + message.data)[:500]
    finally:
        await stream.close()
    if said:
        raise InfrastructureError(
            f"Files cannot be sent to the job: {said.decode('utf-8', 'replace').strip()}"
        )
