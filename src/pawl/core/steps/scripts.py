"""The text of a `run:` step, with values from outsiders kept out of it (architecture.md M8).

GitHub splices the value of every `${{ }}` into the script's text, so whoever controls a branch name or a
title can write commands into it. Here a trusted value is spliced as GitHub does; an untrusted one is
put in an environment variable, and the script refers to that as its quoting needs. Where no reference
can stand, the step cannot be planned, and a diagnostic says where and how to mend it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pawl.core.diagnostics import Diagnostic, Span
from pawl.core.expressions import Untrusted
from pawl.core.steps.powershell_reader import PowerShellReader
from pawl.core.steps.shell_reader import ShellReader
from pawl.core.steps.shell_tokens import Slot, UnreadableError
from pawl.core.steps.shells import ShellKind

CODE = "untrusted-in-script"

MAX_VARIABLE = 100_000
"""Bytes of a value put in a variable: Linux takes 131,072 for `NAME=value` (MAX_ARG_STRLEN)."""

_PREFIX = "PAWL_EXPR_"
_MARKS = range(0xE000, 0xF8FF)  # private use: no meaning to any shell


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """The value of one `${{ }}` of a script.

    Attributes:
        value: its string form; an `Untrusted` one is kept out of the script's text.
        source: the expression as written, for messages.
        span: where it stands in the file.
    """

    value: str
    source: str
    span: Span


ScriptPart = str | Evaluated


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A script ready to run.

    Attributes:
        text: what to run; meaningless when there are diagnostics.
        env: variables the text refers to, to be set for the step on top of all others.
        diagnostics: each untrusted value that has no safe place, with code `untrusted-in-script`.
    """

    text: str
    env: Mapping[str, str]
    diagnostics: tuple[Diagnostic, ...] = ()


def build_script(parts: Sequence[ScriptPart], kind: ShellKind) -> Script:
    """Return the script made of literal texts and evaluated values, in the language `kind`."""
    untrusted = [part for part in parts if isinstance(part, Evaluated) and _is_untrusted(part)]
    plain = "".join(_text_of(part) for part in parts)
    if not untrusted:
        return Script(text=plain, env=MappingProxyType({}))
    mark = next((chr(code) for code in _MARKS if chr(code) not in plain), None)
    if mark is None:
        return _refused(untrusted, "in a script that uses every private character")
    marked = "".join(mark if _is_untrusted(part) else _text_of(part) for part in parts)
    try:
        slots = sorted(_read(marked, mark, kind), key=lambda slot: slot.offset)
    except UnreadableError as lost:
        return _refused(untrusted, f"in a script that cannot be followed: {lost}")
    return _filled(marked, slots, untrusted, kind)


def _is_untrusted(part: ScriptPart) -> bool:
    return isinstance(part, Evaluated) and isinstance(part.value, Untrusted)


def _text_of(part: ScriptPart) -> str:
    return part if isinstance(part, str) else str(part.value)


def _read(marked: str, mark: str, kind: ShellKind) -> list[Slot]:
    match kind:
        case ShellKind.BASH | ShellKind.SH:
            return ShellReader(marked, mark, bash=kind is ShellKind.BASH).read()
        case ShellKind.PWSH:
            return PowerShellReader(marked, mark).read()
        case ShellKind.PYTHON | ShellKind.CMD | ShellKind.CUSTOM:
            raise UnreadableError(f"`{kind.value}` scripts take no references to variables")


def _refused(untrusted: Sequence[Evaluated], place: str) -> Script:
    return Script(
        text="", env=MappingProxyType({}), diagnostics=tuple(_diagnostic(part, place) for part in untrusted)
    )


def _diagnostic(part: Evaluated, place: str) -> Diagnostic:
    return Diagnostic(
        code=CODE,
        message=f"`${{{{ {part.source[:200]} }}}}` holds text that outsiders control and stands {place}",
        span=part.span,
        hint='set a variable under `env:` of the step, such as `VALUE: ${{ ... }}`, and use `"$VALUE"`',
    )


def _filled(marked: str, slots: Sequence[Slot], untrusted: Sequence[Evaluated], kind: ShellKind) -> Script:
    if len(slots) != len(untrusted):
        return _refused(untrusted, "in a script that cannot be followed")
    prefix = _PREFIX
    while prefix in marked:
        prefix += "_"
    env: dict[str, str] = {}
    names: dict[tuple[str, str], str] = {}
    pieces: list[str] = []
    diagnostics: list[Diagnostic] = []
    position = 0
    for slot, part in zip(slots, untrusted, strict=True):
        refusal = slot.refusal or _unfit(part.value)
        if refusal is not None:
            diagnostics.append(_diagnostic(part, refusal))
        name = names.setdefault((part.source, part.value), f"{prefix}{len(names) + 1}")
        env[name] = str(part.value)
        reference = f"${{env:{name}}}" if kind is ShellKind.PWSH else f"${{{name}}}"
        pieces += (marked[position : slot.offset], slot.before, reference, slot.after)
        position = slot.offset + 1
    text = "".join((*pieces, marked[position:]))
    return Script(text=text, env=MappingProxyType(env), diagnostics=tuple(diagnostics))


def _unfit(value: str) -> str | None:
    if "\0" in value:
        return "but holds a NUL character, which no variable can"
    if len(value.encode("utf-8", "surrogatepass")) > MAX_VARIABLE:
        return f"but is longer than {MAX_VARIABLE} bytes, too long for a variable"
    return None
