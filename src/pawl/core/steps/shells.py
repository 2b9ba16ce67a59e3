"""Which process runs a script: the meaning of `shell:`.

Source: actions/runner ScriptHandler.cs, ScriptHandlerHelpers.cs; GitHub docs, "Supported shells".
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from pawl.core.model.errors import UsageError

SCRIPT = "{0}"
"""Stands for the path of the script file in a shell's arguments."""

MAX_SHELL = 4096
"""Characters of a `shell:` value."""


class ShellKind(Enum):
    """The language a script is written in, as far as Pawl knows it."""

    BASH = "bash"
    SH = "sh"
    PWSH = "pwsh"
    PYTHON = "python"
    CMD = "cmd"
    CUSTOM = "custom"


_ARGUMENTS = MappingProxyType(
    {
        "cmd": '/D /E:ON /V:OFF /S /C "CALL "{0}""',
        "pwsh": "-command \". '{0}'\"",
        "powershell": "-command \". '{0}'\"",
        "bash": "--noprofile --norc -e -o pipefail {0}",
        "sh": "-e {0}",
        "python": "{0}",
    }
)
_EXTENSIONS = MappingProxyType(
    {"cmd": ".cmd", "pwsh": ".ps1", "powershell": ".ps1", "bash": ".sh", "sh": ".sh", "python": ".py"}
)
_KINDS = MappingProxyType(
    {
        "bash": ShellKind.BASH,
        "sh": ShellKind.SH,
        "dash": ShellKind.SH,
        "pwsh": ShellKind.PWSH,
        "powershell": ShellKind.PWSH,
        "python": ShellKind.PYTHON,
        "python3": ShellKind.PYTHON,
        "cmd": ShellKind.CMD,
    }
)
_POWERSHELL_START = "$ErrorActionPreference = 'stop'"
_POWERSHELL_END = "if ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellCommand:
    """How to run a script file.

    Attributes:
        kind: the script's language.
        command: the program, looked up in PATH.
        arguments: its arguments as one text, with `{0}` for the script's path.
        extension: what the script file's name must end in, e.g. `.sh`; may be empty.
    """

    kind: ShellKind
    command: str
    arguments: str
    extension: str

    @property
    def argv(self) -> tuple[str, ...]:
        """The process to start, split into words; `{0}` still stands in one of them or more."""
        if self.kind is ShellKind.CMD:
            return (self.command, *self.arguments.split(" "))
        return (self.command, *_split(self.arguments))

    def argv_for(self, script: str) -> tuple[str, ...]:
        """Return the process to start for the script file at the path `script`."""
        return tuple(word.replace(SCRIPT, script) for word in self.argv)

    def fix_up(self, script: str) -> str:
        """Return the text to write to the file for the user's `script` (FixUpScriptContents)."""
        match self.kind:
            case ShellKind.PWSH:
                return f"{_POWERSHELL_START}\n{script}\n{_POWERSHELL_END}"
            case ShellKind.CMD:
                return f"@echo off\n{script}"
            case _:
                return script


def shell_command(shell: str | None, *, in_container: bool, available: Collection[str]) -> ShellCommand:
    """Return how to run a script with `shell: <shell>`; None or '' is an unspecified shell.

    Args:
        shell: the value of `shell:`.
        in_container: the step runs in the job's container, where an unspecified shell is always `sh`.
        available: programs known to be in PATH, e.g. `{"bash", "sh"}`; matters for an unspecified one.

    Raises:
        UsageError: `shell` is neither built in nor a command with `{0}` in it.
    """
    if not shell:
        bash = not in_container and "bash" in available
        # Without `shell: bash` there is no pipefail: ScriptHandler takes sh's arguments for either.
        return _built("bash" if bash else "sh", _ARGUMENTS["sh"], _EXTENSIONS["sh"])
    command, _, rest = shell.partition(" ")
    arguments = rest.lstrip() or _ARGUMENTS.get(command.lower(), "")
    if len(shell) > MAX_SHELL or SCRIPT not in arguments or not command or not _splits(arguments):
        raise UsageError(
            f"`shell: {shell[:100]}` is neither a built-in shell nor a command with `{{0}}` in it",
            hint="use bash, sh, pwsh, powershell, python or cmd, or a command such as `perl {0}`",
        )
    return _built(command, arguments, _EXTENSIONS.get(command.lower(), ""))


def shell_kind(shell: str | None) -> ShellKind:
    """Return the language of a script with `shell: <shell>`, for a custom command by its program's name.

    An unspecified shell is `sh`: what is safe in sh is safe in bash. Anything unknown is `CUSTOM`.
    """
    if not shell:
        return ShellKind.SH
    return _KINDS.get(shell.partition(" ")[0].rpartition("/")[2].lower(), ShellKind.CUSTOM)


def _built(command: str, arguments: str, extension: str) -> ShellCommand:
    return ShellCommand(kind=shell_kind(command), command=command, arguments=arguments, extension=extension)


def _splits(arguments: str) -> bool:
    try:
        _split(arguments)
    except ValueError:
        return False
    return True


def _split(arguments: str) -> list[str]:
    # .NET's argument rules: blanks part words, double quotes join. Single quotes are kept by .NET; a
    # custom shell written for a POSIX host means them as quotes (`pwsh -v '. {0}'`), so both join here.
    return shlex.split(arguments, comments=False, posix=True)
