"""The files by which a step hands values on: GITHUB_ENV, GITHUB_OUTPUT, GITHUB_STATE, GITHUB_PATH.

They take effect for the *next* step. Source: actions/runner FileCommandManager.cs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from pawl.core.steps.commands import BLOCKED_VARIABLES

MAX_FILE = 1_048_576
"""Bytes of one file command file (reliability.md 4.4); also GitHub's limit of a step summary."""


class EnvFileKind(Enum):
    """Which of the `NAME=VALUE` files it is."""

    ENV = "env"
    OUTPUT = "output"
    STATE = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvFile:
    """What a `NAME=VALUE` file says.

    Attributes:
        values: in order of first appearance. ENV names differ by case; OUTPUT and STATE names do not,
            and keep their first spelling.
        refused: names that may not be set this way; each is reported as an error annotation, but the
            step does not fail for it.
        error: why the file cannot be read, or None. A file with an error fails the step and sets the
            values that come before the fault, as the runner does.
    """

    values: Mapping[str, str]
    refused: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class PathFile:
    """The folders a step adds to PATH, in the order written, and why the file cannot be read."""

    folders: tuple[str, ...]
    error: str | None = None


def parse_env_file(content: bytes | None, kind: EnvFileKind) -> EnvFile:
    """Return what the file's `content` says; None stands for a file that is not there."""
    text, error = _decode(content)
    if error is not None:
        return EnvFile(values=MappingProxyType({}), error=error)
    spelling: dict[str, str] = {}
    values: dict[str, str] = {}
    refused: list[str] = []
    try:
        for name, value in _entries(text):
            if kind is EnvFileKind.ENV and name.lower() in BLOCKED_VARIABLES:
                refused.append(name)
                continue
            folded = name if kind is EnvFileKind.ENV else name.upper()
            values[spelling.setdefault(folded, name)] = value
    except _Malformed as fault:
        error = fault.message
    return EnvFile(values=MappingProxyType(values), refused=tuple(refused), error=error)


def parse_path_file(content: bytes | None) -> PathFile:
    r"""Return the folders named in a GITHUB_PATH file: one a line, blank lines skipped.

    Lines end in `\n`, `\r` or `\r\n` here, unlike in the other files (File.ReadAllLines).
    """
    text, error = _decode(content)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return PathFile(tuple(line for line in lines if line), error)


def extend_path(folders: Sequence[str], added: Iterable[str]) -> tuple[str, ...]:
    """Return `folders`, which come before PATH, with `added` put in front one after the other.

    The last one added comes first; one that is there already moves (AddPathFileCommand).
    """
    result = list(folders)
    for folder in added:
        result = [folder, *(other for other in result if other != folder)]
    return tuple(result)


def check_summary(content: bytes | None) -> str | None:
    """Return why a step summary cannot be kept, or None when it can."""
    size = len(content or b"")
    if size <= MAX_FILE:
        return None
    return f"GITHUB_STEP_SUMMARY holds {size // 1024} KiB; at most {MAX_FILE // 1024} KiB are kept"


class _Malformed(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


def _decode(content: bytes | None) -> tuple[str, str | None]:
    raw = content or b""
    if len(raw) > MAX_FILE:
        return "", f"the file holds more than {MAX_FILE // 1024} KiB, the most that is read"
    return raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace"), None


def _entries(text: str) -> Iterator[tuple[str, str]]:
    lines = text.split("\n")
    # A text that ends in a newline has no last line; without one, the last line has no line end.
    ended = not lines[-1]
    if ended:
        lines.pop()
    numbered = enumerate(lines, start=1)
    for number, line in numbered:
        if not line:
            continue
        name, equals, value = line.partition("=")
        before, heredoc, delimiter = line.partition("<<")
        if equals and (not heredoc or len(name) < len(before)):
            if not name:
                raise _Malformed(f"line {number}: the name before `=` is empty")
            yield name, value
        elif heredoc:
            if not before or not delimiter:
                raise _Malformed(f"line {number}: `NAME<<DELIMITER` needs both a name and a delimiter")
            yield before, _heredoc(numbered, delimiter, number, None if ended else len(lines))
        else:
            raise _Malformed(
                f"line {number}: expected `NAME=VALUE` or `NAME<<DELIMITER`, found {line[:80]!r}"
            )


def _heredoc(lines: Iterator[tuple[int, str]], delimiter: str, start: int, unended: int | None) -> str:
    """Return the lines up to `delimiter`. `unended` is the number of a last line without line end."""
    value: list[str] = []
    for number, line in lines:
        if line == delimiter:
            return "\n".join(value)
        if number == unended:
            raise _Malformed(f"line {number}: the delimiter {delimiter[:80]!r} must stand on its own line")
        value.append(line)
    raise _Malformed(f"line {start}: the delimiter {delimiter[:80]!r} does not come again")
