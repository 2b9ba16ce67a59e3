"""Workflow commands, file commands, annotations, masks and shells."""

from __future__ import annotations

from typing import Any

from pawl.core.model.errors import UsageError
from pawl.core.steps.annotations import Annotation
from pawl.core.steps.commands import (
    AddMask,
    AddPath,
    Command,
    CommandParser,
    Echo,
    EndGroup,
    Group,
    Rejected,
    SaveState,
    SetEnv,
    SetOutput,
    StopCommands,
    parse_line,
)
from pawl.core.steps.env_files import EnvFileKind, extend_path, parse_env_file, parse_path_file
from pawl.core.steps.masking import Masker
from pawl.core.steps.shells import ShellCommand, shell_command

_BOM = b"\xef\xbb\xbf"


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when the case passes, else what differs."""
    return _CHECKS[case["kind"]](case)


def _differs(found: object, expected: object) -> str | None:
    return None if found == expected else f"found {found!r}, expected {expected!r}"


def _file(case: dict[str, Any]) -> str | None:
    content = case["content"]
    kind = EnvFileKind(case["target"])
    for raw in (None,) if content is None else (content.encode(), _BOM + content.encode()):
        parsed = parse_env_file(raw, kind)
        if case.get("error"):
            if parsed.error is None:
                return f"accepted as {dict(parsed.values)!r}, expected an error"
            continue
        expected = case["expect"]
        if parsed.error is not None:
            return f"refused: {parsed.error}"
        if dict(parsed.values) != expected["values"] or len(parsed.refused) != expected.get("issues", 0):
            return f"found {dict(parsed.values)!r}, refused {parsed.refused!r}; expected {expected!r}"
    return None


def _path_file(case: dict[str, Any]) -> str | None:
    parsed = parse_path_file(None if case["content"] is None else case["content"].encode())
    return _differs(list(extend_path((), parsed.folders)), case["expect"]["prepended"])


def _parse(case: dict[str, Any]) -> str | None:
    raw = parse_line(case["line"], {name.lower() for name in case["registered"]})
    found = raw and {"command": raw.name, "properties": dict(raw.properties), "data": raw.data}
    return _differs(found, case["expect"])


def _annotation(case: dict[str, Any]) -> str | None:
    _, command = CommandParser().feed(case["line"].encode())
    if not isinstance(command, Annotation):
        return f"found {command!r}, expected an annotation"
    found = {
        "level": command.level.value,
        "message": command.message,
        "properties": dict(command.properties),
    }
    return _differs(found, case["expect"])


def _mask(case: dict[str, Any]) -> str | None:
    masker = Masker(case["secrets"])
    whole = masker.feed(case["input"].encode()) + masker.flush()
    bytewise = b"".join(masker.feed(bytes([byte])) for byte in case["input"].encode()) + masker.flush()
    if whole != bytewise:
        return f"in one block {whole!r}, byte by byte {bytewise!r}"
    return _differs(whole.decode(), case["expect"])


def _shell(case: dict[str, Any]) -> str | None:
    try:
        found = shell_command(case["shell"], in_container=False, available={"bash", "sh"})
    except UsageError as refused:
        return None if case.get("error") else str(refused)
    if case.get("error"):
        return f"accepted as {found!r}, expected an error"
    parts = {"command": found.command, "args": found.arguments, "ext": found.extension}
    return _differs(parts, case["expect"])


def _script_fixup(case: dict[str, Any]) -> str | None:
    shell: ShellCommand = shell_command(case["shell"], in_container=False, available={"bash", "sh"})
    return _differs(shell.fix_up(case["script"]), case["expect"])


class _Session:
    """What a step's commands did so far."""

    def __init__(self, env: dict[str, str]) -> None:
        self.parser = CommandParser.for_env(env)
        self.masker = Masker()
        self.done: dict[str, Any] = {"env": {}, "outputs": {}, "state": {}, "path": []}

    def feed(self, line: str) -> Command | None:
        self.parser, command = self.parser.feed(line.encode())
        match command:
            case SetEnv(name, value):
                self.done["env"][name] = value
            case SetOutput(name, value):
                self.done["outputs"][name] = value
            case SaveState(name, value):
                self.done["state"][name] = value
            case AddPath(path):
                self.done["path"] = list(extend_path(self.done["path"], [path]))
            case AddMask(value) | StopCommands(value, True):
                self.masker.add(value)
            case _:
                pass
        return command


def _session(case: dict[str, Any]) -> str | None:
    session = _Session(case.get("env", {}))
    for step in case["steps"]:
        command = session.feed(step["line"])
        if (command is not None) != step["processed"]:
            return f"{step['line']!r}: found {command!r}, processed should be {step['processed']}"
        if step.get("error") and not (isinstance(command, Rejected) and command.fails):
            return f"{step['line']!r}: found {command!r}, expected a failure"
        if "log" in step and _logged(command) != step["log"]:
            return f"{step['line']!r}: logs {_logged(command)!r}, expected {step['log']!r}"
        if step.get("echo") and command != Echo(on=True):
            return f"{step['line']!r}: found {command!r}, expected echo to be on"
    for text, expected in case.get("masks", {}).items():
        if session.masker.mask_text(text) != expected:
            return f"{text!r} is shown as {session.masker.mask_text(text)!r}, expected {expected!r}"
    expect = case.get("expect", {})
    return _differs({key: session.done[key] for key in expect}, expect)


def _logged(command: Command | None) -> str:
    match command:
        case Group(title):
            return f"##[group]{title}"
        case EndGroup():
            return "##[endgroup]"
        case _:
            return ""


_CHECKS = {
    "file": _file,
    "path_file": _path_file,
    "parse": _parse,
    "annotation": _annotation,
    "mask": _mask,
    "shell": _shell,
    "script_fixup": _script_fixup,
    "session": _session,
}
