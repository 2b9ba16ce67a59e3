"""The files of one step by which it hands values on: made before it, read after all its processes ended."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pawl.core.expressions import Untrusted
from pawl.core.model.errors import InfrastructureError
from pawl.core.steps.env_files import (
    MAX_FILE,
    EnvFile,
    EnvFileKind,
    check_summary,
    parse_env_file,
    parse_path_file,
)
from pawl.engine.execution.folders import JobFolder, read_job_file
from pawl.ports.executor import Sandbox

NAMES = ("env", "output", "path", "state", "step_summary")
"""Of the files; the variable of each is `GITHUB_<NAME>`."""


@dataclass(frozen=True, slots=True)
class CommandFiles:
    """Where they are: a folder of the step's own below the job's `files`."""

    folder: JobFolder
    step: str

    @property
    def place(self) -> Path:
        """Return the step's own folder, where its script goes too."""
        return self.folder.files / self.step

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return the files on this machine."""
        place = self.place
        return tuple(place / name for name in NAMES)

    def variables(self, sandbox: Sandbox) -> dict[str, str]:
        """Return `GITHUB_ENV` and its like, as processes in the sandbox see them."""
        inside = sandbox.inside(self.place)
        return {f"GITHUB_{name.upper()}": f"{inside}/{name}" for name in NAMES}

    def make(self) -> None:
        """Make them, empty.

        Raises:
            InfrastructureError: they cannot be written.
        """
        try:
            self.place.mkdir(parents=True, exist_ok=True)
            self.place.chmod(0o777)
            for path in self.paths:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
                # Whoever a step runs as may write: the mask of our own process is not to say otherwise.
                os.fchmod(descriptor, 0o666)
                os.close(descriptor)
        except OSError as error:
            raise InfrastructureError(f"cannot write {self.place}: {error.strerror}") from error

    def write_script(self, name: str, text: str) -> Path:
        """Write the script beside them and return where it is.

        Raises:
            InfrastructureError: it cannot be written.
        """
        path = self.place / name
        try:
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
            path.chmod(0o755)
        except OSError as error:
            raise InfrastructureError(f"cannot write {path}: {error.strerror}") from error
        return path


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOn:
    """What a step wrote to its files.

    Attributes:
        faults: what is wrong with them; any fails the step.
        refused: variables that nobody may set; said, but no failure.
        summary: Markdown, not masked yet.
    """

    env: Mapping[str, str]
    outputs: Mapping[str, str]
    state: Mapping[str, str]
    folders: tuple[str, ...]
    summary: str
    faults: tuple[str, ...]
    refused: tuple[str, ...]


def read_command_files(files: CommandFiles, *, untrusted: bool) -> HandedOn:
    """Return what the files say; values are marked as Untrusted when the step had used such values (M8)."""
    contents = {
        name: read_job_file(files.folder.files, f"{files.step}/{name}", limit=MAX_FILE) for name in NAMES
    }
    env = parse_env_file(contents["env"], EnvFileKind.ENV)
    outputs = parse_env_file(contents["output"], EnvFileKind.OUTPUT)
    state = parse_env_file(contents["state"], EnvFileKind.STATE)
    path = parse_path_file(contents["path"])
    too_long = check_summary(contents["step_summary"])
    faults = [
        f"the file of {variable} cannot be read: {error}"
        for variable, error in (
            ("GITHUB_ENV", env.error),
            ("GITHUB_OUTPUT", outputs.error),
            ("GITHUB_STATE", state.error),
            ("GITHUB_PATH", path.error),
        )
        if error is not None
    ]
    return HandedOn(
        env=marked(env.values, untrusted=untrusted),
        outputs=marked(outputs.values, untrusted=untrusted),
        state=state.values,
        folders=path.folders,
        summary="" if too_long else (contents["step_summary"] or b"").decode("utf-8", "replace"),
        faults=tuple(faults),
        refused=(*_refused(env), *((too_long,) if too_long else ())),
    )


def marked(values: Mapping[str, str], *, untrusted: bool) -> Mapping[str, str]:
    """Return the values, as Untrusted ones where `untrusted`."""
    return {name: Untrusted(value) for name, value in values.items()} if untrusted else dict(values)


def _refused(env: EnvFile) -> tuple[str, ...]:
    return tuple(f"the variable `{name}` cannot be set through GITHUB_ENV" for name in env.refused)
