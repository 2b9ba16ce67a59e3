"""Workflow commands: the lines by which a running step speaks to the runner.

`::name key=value::data` at the start of a line and the older `##[name key=value;]data` anywhere in it.
`CommandParser` is a small immutable state machine: feed it each line, keep the parser it returns.
Source of every rule: actions/runner ActionCommand.cs (syntax), ActionCommandManager.cs (meaning).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from pawl.core.steps.annotations import Annotation, AnnotationLevel, annotation

COMMANDS = frozenset(
    {
        "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice",
        "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning",
    }
)  # fmt: skip
"""Names of all commands; any other name is plain text."""

MAX_LINE = 1_048_576
"""Bytes of a line that are looked at: a longer line is plain text (the limit of a file command)."""

BLOCKED_VARIABLES = frozenset({"node_options"})
"""Variables no command may set, folded: they would run code inside later actions (SetEnvFileCommand)."""

# What .NET's TrimStart removes; str.lstrip() would also remove the separators U+001C to U+001F.
_BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"  # noqa: E501 - one alphabet
_MASKED_TOKEN_LENGTH = 6


@dataclass(frozen=True, slots=True)
class RawCommand:
    """A line split into its parts, unescaped, its meaning not yet looked at.

    Attributes:
        name: as written; compare it ignoring case.
        properties: in order; keys are as first written, unique ignoring case.
        data: what follows.
    """

    name: str
    properties: Mapping[str, str]
    data: str

    def property(self, name: str) -> str | None:
        """Return the value of the property called `name`, ignoring case, or None."""
        folded = name.lower()
        return next((value for key, value in self.properties.items() if key.lower() == folded), None)


@dataclass(frozen=True, slots=True)
class SetOutput:
    """An output of the step."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SaveState:
    """A value for the post part of the same action."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SetEnv:
    """An environment variable of the following steps."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class AddPath:
    """A folder put before PATH for the following steps."""

    path: str


@dataclass(frozen=True, slots=True)
class AddMask:
    """A value to hide from now on. The line itself must not be logged."""

    value: str


@dataclass(frozen=True, slots=True)
class Group:
    """The start of a foldable part of the log."""

    title: str


@dataclass(frozen=True, slots=True)
class EndGroup:
    """The end of a foldable part of the log."""


@dataclass(frozen=True, slots=True)
class Debug:
    """A remark shown only when step debugging is on."""

    message: str


@dataclass(frozen=True, slots=True)
class Echo:
    """Commands are shown in the log from now on, or no longer."""

    on: bool


@dataclass(frozen=True, slots=True)
class AddMatcher:
    """A problem matcher file to load; the path is the step's, relative to the workspace."""

    path: str


@dataclass(frozen=True, slots=True)
class RemoveMatcher:
    """A problem matcher to drop: exactly one of the two is set."""

    owner: str | None
    path: str | None


@dataclass(frozen=True, slots=True)
class StopCommands:
    """Commands are plain text until the token comes. `mask` says whether the token is to be hidden."""

    token: str
    mask: bool


@dataclass(frozen=True, slots=True)
class ResumeCommands:
    """Commands are commands again."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A command that cannot be done. `fails` says whether the step fails for it; else it is a warning."""

    message: str
    fails: bool


Command = (
    SetOutput | SaveState | SetEnv | AddPath | AddMask | Group | EndGroup | Debug | Annotation | Echo
    | AddMatcher | RemoveMatcher | StopCommands | ResumeCommands | Rejected
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandParser:
    """What must be remembered from line to line of one step.

    Attributes:
        allow_unsecure: `set-env` and `add-path` are allowed (ACTIONS_ALLOW_UNSECURE_COMMANDS=true).
        allow_any_token: `stop-commands` takes any token (ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS).
        stopped_by: the token that ends a stop, or None while commands are read.
    """

    allow_unsecure: bool = False
    allow_any_token: bool = False
    stopped_by: str | None = None

    @classmethod
    def for_env(cls, env: Mapping[str, str]) -> CommandParser:
        """Return the parser for a step with the environment `env` (the `env` context's values)."""
        unsecure = env.get("ACTIONS_ALLOW_UNSECURE_COMMANDS", "").strip(_BLANKS + "\0").lower() == "true"
        tokens = env.get("ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS", "").upper() in ("1", "TRUE", "$TRUE")
        return cls(allow_unsecure=unsecure, allow_any_token=tokens)

    def feed(self, line: bytes | str) -> tuple[CommandParser, Command | None]:
        """Return the parser for the next line, and the command in `line`, or None for plain text.

        Args:
            line: one line without its end; bytes are read as UTF-8, faulty ones replaced.
        """
        text = _text(line)
        if text is None:
            return self, None
        if self.stopped_by is not None:
            raw = parse_line(text, {*COMMANDS, self.stopped_by.lower()})
            if raw is None or not self.stopped_by or raw.name.lower() != self.stopped_by.lower():
                return self, None
            return replace(self, stopped_by=None), ResumeCommands()
        raw = parse_line(text, COMMANDS)
        if raw is None:
            return self, None
        command = self._typed(raw)
        stopped_by = command.token if isinstance(command, StopCommands) else None
        return (self if stopped_by is None else replace(self, stopped_by=stopped_by)), command

    def _typed(self, raw: RawCommand) -> Command:
        name = raw.name.lower()
        if name == "stop-commands":
            return self._stop(raw.data)
        if name in ("set-env", "add-path") and not self.allow_unsecure:
            return Rejected(
                f"The `{name}` command is disabled; write to the file named by "
                f"`{'GITHUB_ENV' if name == 'set-env' else 'GITHUB_PATH'}` instead",
                fails=True,
            )
        return _READERS[name](raw)

    def _stop(self, token: str) -> Command:
        invalid = not token or token.lower() in COMMANDS or token.lower() == "pause-logging"
        if invalid and not self.allow_any_token:
            return Rejected(
                f"`{token}` cannot be the token of `stop-commands`: use a random, unguessable word",
                fails=True,
            )
        return StopCommands(token, mask=len(token) > _MASKED_TOKEN_LENGTH)


def may_be_command(line: bytes) -> bool:
    """Return whether `line` needs a closer look: a quick test for the millions of lines that do not."""
    return b"::" in line or b"##[" in line


def _text(line: bytes | str) -> str | None:
    if len(line) > MAX_LINE:
        return None
    if isinstance(line, bytes):
        return line.decode("utf-8", "replace") if may_be_command(line) else None
    return line


def parse_line(line: str, registered: Collection[str] = COMMANDS) -> RawCommand | None:
    """Return the command written in `line`, or None where there is none.

    Args:
        line: one line without its end.
        registered: the names that are commands, lower-case.
    """
    return _parse_colons(line, registered) or _parse_brackets(line, registered)


def _parse_colons(line: str, registered: Collection[str]) -> RawCommand | None:
    text = line.lstrip(_BLANKS)
    end = text.find("::", 2) if text.startswith("::") else -1
    if end < 0:
        return None
    name, _, properties = text[2:end].partition(" ")
    if name.lower() not in registered:
        return None
    pairs = _pairs(properties.strip(_BLANKS), ",", _unescape_property)
    return RawCommand(name, pairs, _unescape_data(text[end + 2 :]))


def _parse_brackets(line: str, registered: Collection[str]) -> RawCommand | None:
    start = line.find("##[")
    end = line.find("]", start) if start >= 0 else -1
    if end < 0:
        return None
    name, _, properties = line[start + 3 : end].partition(" ")
    if name.lower() not in registered:
        return None
    return RawCommand(name, _pairs(properties, ";", _unescape_old), _unescape_old(line[end + 1 :]))


def _pairs(text: str, separator: str, unescape: Callable[[str], str]) -> Mapping[str, str]:
    """Split `k=v` pairs; a pair without name or value is skipped (.NET Split, RemoveEmptyEntries)."""
    spelling: dict[str, str] = {}
    values: dict[str, str] = {}
    for pair in text.split(separator):
        key, _, value = pair.lstrip("=").partition("=")
        value = value.lstrip("=")
        if key and value:
            values[spelling.setdefault(key.lower(), key)] = unescape(value)
    return MappingProxyType(values)


def _unescape_data(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def _unescape_property(text: str) -> str:
    text = text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",")
    return text.replace("%25", "%")


def _unescape_old(text: str) -> str:
    text = text.replace("%3B", ";").replace("%0D", "\r").replace("%0A", "\n").replace("%5D", "]")
    return text.replace("%25", "%")


def _named(raw: RawCommand, make: Callable[[str, str], Command]) -> Command:
    name = raw.property("name")
    if not name:
        return Rejected(
            f"The `{raw.name}` command needs a `name`: `::{raw.name} name=NAME::VALUE`", fails=True
        )
    return make(name, raw.data)


def _set_env(name: str, value: str) -> Command:
    if name.lower() in BLOCKED_VARIABLES:
        return Rejected(f"The variable `{name}` cannot be set by a command", fails=False)
    return SetEnv(name, value)


def _read_path(raw: RawCommand) -> Command:
    return AddPath(raw.data) if raw.data else Rejected("The `add-path` command needs a folder", fails=True)


def _read_mask(raw: RawCommand) -> Command:
    if raw.data.strip(_BLANKS):
        return AddMask(raw.data)
    return Rejected("The `add-mask` command needs a value that is not blank", fails=False)


def _read_echo(raw: RawCommand) -> Command:
    match raw.data.strip(_BLANKS).lower():
        case "on":
            return Echo(on=True)
        case "off":
            return Echo(on=False)
        case _:
            return Rejected(f"The `echo` command takes `on` or `off`, not `{raw.data[:100]}`", fails=True)


def _read_add_matcher(raw: RawCommand) -> Command:
    return (
        AddMatcher(raw.data) if raw.data else Rejected("The `add-matcher` command needs a file", fails=False)
    )


def _read_remove_matcher(raw: RawCommand) -> Command:
    owner = raw.property("owner")
    if bool(owner) == bool(raw.data):
        return Rejected("The `remove-matcher` command needs either an `owner` or a file", fails=False)
    return RemoveMatcher(owner or None, raw.data or None)


_READERS: Mapping[str, Callable[[RawCommand], Command]] = MappingProxyType(
    {
        "set-output": lambda raw: _named(raw, SetOutput),
        "save-state": lambda raw: _named(raw, SaveState),
        "set-env": lambda raw: _named(raw, _set_env),
        "add-path": _read_path,
        "add-mask": _read_mask,
        "group": lambda raw: Group(raw.data),
        "endgroup": lambda _: EndGroup(),
        "debug": lambda raw: Debug(raw.data),
        "notice": lambda raw: annotation(AnnotationLevel.NOTICE, raw.data, raw.properties),
        "warning": lambda raw: annotation(AnnotationLevel.WARNING, raw.data, raw.properties),
        "error": lambda raw: annotation(AnnotationLevel.ERROR, raw.data, raw.properties),
        "echo": _read_echo,
        "add-matcher": _read_add_matcher,
        "remove-matcher": _read_remove_matcher,
    }
)
