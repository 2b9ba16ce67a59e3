"""`options:` of containers and services: from the words of `docker create` to the few that are allowed.

Nothing a workflow says may loosen isolation (reliability practice R24): the allow-list holds what changes the
container itself. The meaning of each word is `docker create`'s (Docker docs, command line reference).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pawl.core.workflow.duration import parse_duration

OptionValue = str | int | float | bool | tuple[str, ...] | dict[str, str] | dict[str, tuple[int, int]]

_MAX_LENGTH = 10_000
_SIZE = re.compile(r"([0-9]{1,15})([bkmg]?)b?\Z", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_MOST_CPUS = 1024.0


@dataclass(frozen=True, slots=True)
class OptionProblem:
    """A word that is refused, or cannot be read, and why."""

    option: str
    message: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class ParsedOptions:
    """The allowed options and what was left out.

    Attributes:
        fields: by the names of the executor's `ContainerOptions`, and `memory`, `cpus`, `pids` of its limits.
    """

    fields: dict[str, OptionValue]
    problems: tuple[OptionProblem, ...]


@dataclass(frozen=True, slots=True)
class _Option:
    """An allowed option: the field it sets, how its text is read (None: it does not fit), how it adds up."""

    field: str
    read: Callable[[str], OptionValue | None]
    expected: str
    collects: bool = False
    is_flag: bool = False


def _text(value: str) -> str | None:
    return value or None


def _whole(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def _cpus(value: str) -> float | None:
    number = float(value) if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", value) else 0.0
    return number if 0 < number <= _MOST_CPUS else None


def parse_size(value: str) -> int | None:
    """Return the bytes of a size such as `512m`; None when it is not one."""
    found = _SIZE.match(value)
    return int(found.group(1)) * _UNITS[found.group(2).lower()] if found else None


def _flag(value: str) -> bool | None:
    return {"true": True, "false": False, "1": True, "0": False}.get(value)


def _pair(separator: str) -> Callable[[str], dict[str, str] | None]:
    def read(value: str) -> dict[str, str] | None:
        name, _, rest = value.partition(separator)
        return {name: rest} if name else None

    return read


def _host(value: str) -> tuple[str, ...] | None:
    name, separator, address = value.replace("=", ":", 1).partition(":")
    return (f"{name}:{address}",) if separator and name and address else None


def _ulimit(value: str) -> dict[str, tuple[int, int]] | None:
    name, _, numbers = value.partition("=")
    soft_text, _, hard_text = numbers.partition(":")
    soft = _whole(soft_text)
    hard = _whole(hard_text) if hard_text else soft
    return None if not name or soft is None or hard is None else {name: (soft, hard)}


_OPTIONS: dict[str, _Option] = {
    "user": _Option("user", _text, "a user"),
    "hostname": _Option("hostname", _text, "a host name"),
    "entrypoint": _Option("entrypoint", _text, "a program"),
    "health-cmd": _Option("health_cmd", _text, "a command"),
    "health-interval": _Option("health_interval", parse_duration, "a time like `10s`"),
    "health-timeout": _Option("health_timeout", parse_duration, "a time like `10s`"),
    "health-retries": _Option("health_retries", _whole, "a number"),
    "health-start-period": _Option("health_start_period", parse_duration, "a time like `10s`"),
    "network-alias": _Option(
        "network_aliases", lambda value: (value,) if value else None, "a name", collects=True
    ),
    "add-host": _Option("extra_hosts", _host, "`name:address`", collects=True),
    "tmpfs": _Option("tmpfs", _pair(":"), "a path", collects=True),
    "shm-size": _Option("shm_size", parse_size, "a size like `64m`"),
    "ulimit": _Option("ulimits", _ulimit, "`name=soft:hard`", collects=True),
    "label": _Option("labels", _pair("="), "`name=value`", collects=True),
    "read-only": _Option("read_only", _flag, "true or false", is_flag=True),
    "init": _Option("init", _flag, "true or false", is_flag=True),
    "memory": _Option("memory", parse_size, "a size like `2g`"),
    "cpus": _Option("cpus", _cpus, "a number of processors"),
    "pids-limit": _Option("pids", _whole, "a number"),
}
_SHORT = {"u": "user", "h": "hostname", "l": "label", "m": "memory"}
_HARMLESS_FLAGS = frozenset({"interactive", "tty", "rm", "detach", "i", "t", "d"})
"""Flags that mean nothing for a container that runs steps: left out without a word."""

_OTHER_FLAGS = frozenset(
    {"privileged", "publish-all", "P", "no-healthcheck", "oom-kill-disable", "sig-proxy"}
)


def parse_container_options(text: str) -> ParsedOptions:
    """Return the allowed options of a text and what was left out. Never raises."""
    if len(text) > _MAX_LENGTH:
        problem = OptionProblem("", f"the options have more than {_MAX_LENGTH} characters", is_error=True)
        return ParsedOptions({}, (problem,))
    try:
        words = shlex.split(text)
    except ValueError as error:
        problem = OptionProblem("", f"the options cannot be taken apart: {str(error).lower()}", is_error=True)
        return ParsedOptions({}, (problem,))
    reader = _Reader(words)
    reader.read()
    return ParsedOptions(reader.fields, tuple(reader.problems))


class _Reader:
    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.at = 0
        self.fields: dict[str, OptionValue] = {}
        self.problems: list[OptionProblem] = []

    def read(self) -> None:
        while self.at < len(self.words):
            word = self.words[self.at]
            self.at += 1
            if not word.startswith("-") or word in {"-", "--"}:
                self.note(word, "is no option", is_error=True)
                continue
            dashed, equals, value = word.partition("=")
            self.option(dashed, value if equals else None)

    def option(self, dashed: str, value: str | None) -> None:
        name = dashed.lstrip("-")
        option = _OPTIONS.get(_SHORT.get(name, name))
        if name in _HARMLESS_FLAGS:
            return
        if option is None:
            if value is None and name not in _OTHER_FLAGS:
                self.following()
            self.note(
                dashed, "is not on the list of options a workflow may set, so the job fails", is_error=False
            )
            return
        if value is None:
            value = "true" if option.is_flag else self.following()
        read = option.read(value) if value is not None else None
        if read is None:
            self.note(dashed, f"expected {option.expected}, found `{(value or '')[:60]}`", is_error=True)
            return
        self.add(option, read)

    def following(self) -> str | None:
        """Return the next word when it is a value."""
        if self.at >= len(self.words) or self.words[self.at].startswith("--"):
            return None
        self.at += 1
        return self.words[self.at - 1]

    def add(self, option: _Option, value: OptionValue) -> None:
        before = self.fields.get(option.field)
        if option.collects and isinstance(before, tuple) and isinstance(value, tuple):
            value = before + value
        elif option.collects and isinstance(before, dict) and isinstance(value, dict):
            merged: dict[str, Any] = {**before, **value}
            value = merged
        self.fields[option.field] = value

    def note(self, option: str, message: str, *, is_error: bool) -> None:
        self.problems.append(OptionProblem(option[:60], message, is_error))
