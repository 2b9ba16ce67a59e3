"""What an evaluation saw: the value of every sub-expression that was evaluated (requirement L13)."""

from __future__ import annotations

from dataclasses import dataclass

from pawl.core.expressions.coercion import is_truthy
from pawl.core.expressions.nodes import quote
from pawl.core.expressions.values import ArrayValue, ObjectValue, Value

_SHOWN = 120
_HIDDEN = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceNode:
    """One evaluated sub-expression.

    Attributes:
        text: as written.
        value: its value; `***` where it may hold a secret.
        parts: the sub-expressions that were evaluated for it, in order; literals are left out.
    """

    text: str
    value: Value
    parts: tuple[TraceNode, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """The evaluation of one expression; `root` is None when no trace was asked for or all is literal."""

    root: TraceNode | None = None

    def lines(self) -> list[str]:
        """Return the trace for people: `text  =>  value`, two blanks deeper for each level."""
        found: list[str] = []
        waiting = [(self.root, 0)] if self.root else []
        while waiting:
            node, level = waiting.pop()
            found.append(f"{'  ' * level}{_one_line(node.text)}  =>  {describe(node.value)}")
            waiting.extend((part, level + 1) for part in reversed(node.parts))
        return found

    def to_plain(self) -> object:
        """Return the trace as JSON-able data: `text`, `value` (described), `truthy`, `parts`; or None."""
        return _plain(self.root) if self.root else None


def _plain(node: TraceNode) -> dict[str, object]:
    return {
        "text": node.text,
        "value": describe(node.value),
        "truthy": is_truthy(node.value),
        "parts": [_plain(part) for part in node.parts],
    }


def describe(value: Value) -> str:
    """Return the value in few words: a literal (at most 120 characters of it), or how large it is."""
    match value:
        case ArrayValue():
            return f"an array of {len(value)}"
        case ObjectValue():
            return f"an object with {len(value)} {'property' if len(value) == 1 else 'properties'}"
        case str():
            shown = value if len(value) <= _SHOWN else value[: _SHOWN - 3] + "..."
            return _one_line(quote(str(shown)))
        case _:
            return quote(value)


def hide(value: Value) -> Value:
    """Return what may be shown of a value that was computed from a secret."""
    return _HIDDEN if value and isinstance(value, str | ArrayValue | ObjectValue) else value


def _one_line(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n")
