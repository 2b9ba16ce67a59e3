"""Reading values out of a tree that may be faulty: nothing here raises, what does not fit is left out."""

from __future__ import annotations

from typing import TypeAlias

from pawl.core.expressions import to_text
from pawl.core.workflow.nodes import Mapping, Node, Scalar, Sequence
from pawl.core.workflow.scalars import Plain
from pawl.core.workflow.syntax import Text

Fields: TypeAlias = Mapping | dict[str, Node]
"""A mapping of the tree, or its values by key."""


def first_of(mapping: Fields, *names: str) -> Node | None:
    """Return the value of the first of `names` that the mapping has."""
    return next((value for name in names if (value := mapping.get(name)) is not None), None)


def scalar_of(mapping: Fields, *names: str) -> Scalar | None:
    """Return that value where it is a scalar that is not empty in the YAML sense."""
    value = first_of(mapping, *names)
    return value if isinstance(value, Scalar) and value.value is not None else None


def mapping_of(node: Node | None, *path: str) -> Mapping | None:
    """Return the mapping at the end of a path of keys."""
    for name in path:
        node = node.get(name) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else None


def plain_text(value: Plain) -> str:
    """Return the text that GitHub makes of a plain value: `3.10` is `3.1`, nothing is empty."""
    if isinstance(value, int) and not isinstance(value, bool):
        return to_text(float(value))
    return to_text(value)


def text_of(node: Node | None) -> Text | None:
    """Return a scalar as text with its place; None for anything else and for nothing."""
    if not isinstance(node, Scalar) or node.value is None:
        return None
    return Text(_without_quoting(plain_text(node.value)), node.span)


def texts_of(node: Node | None) -> tuple[Text, ...]:
    """Return a scalar or a list of scalars as texts."""
    nodes = node.items if isinstance(node, Sequence) else (node,)
    return tuple(text for item in nodes if (text := text_of(item)) is not None)


def is_true(node: Node | None) -> bool:
    """Return whether the value is a plain `true`."""
    return isinstance(node, Scalar) and node.value is True


def number_of(node: Node | None) -> float | None:
    """Return a plain number."""
    if isinstance(node, Scalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return float(node.value)
    return None


def has_expression(node: Node | None) -> bool:
    """Return whether `${{` stands anywhere in a tree."""
    match node:
        case Scalar():
            return isinstance(node.value, str) and "${{" in node.value
        case Sequence():
            return any(has_expression(item) for item in node.items)
        case Mapping():
            return any("${{" in key.text or has_expression(value) for key, value in node)
        case None:
            return False


def _without_quoting(text: str) -> str:
    """Return `x` for `${{ 'x' }}`: GitHub reads a lone literal as if it were written plainly."""
    if not (text.startswith("${{") and text.endswith("}}")):
        return text
    inner = text[3:-2].strip()
    body = inner[1:-1]
    if len(inner) >= 2 and inner[0] == inner[-1] == "'" and "'" not in body.replace("''", ""):
        return body.replace("''", "'")
    return text
