"""Plain drawings of findings and of syntax trees, for golden files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

from pawl.core.diagnostics import Diagnostic, Span
from pawl.core.workflow.nodes import Mapping as MappingNode
from pawl.core.workflow.nodes import Scalar, Sequence, to_json
from pawl.core.workflow.syntax import Text


def draw_findings(diagnostics: Iterable[Diagnostic]) -> str:
    """Return each finding with its place, code, message, hint and related places."""
    lines = []
    for found in diagnostics:
        lines.append(f"{found.span.start}-{found.span.end} {found.severity}[{found.code}]: {found.message}")
        lines += [f"    hint: {found.hint}"] if found.hint else []
        lines += [f"    {span.start}: {why}" for span, why in found.related]
    return "".join(f"{line}\n" for line in lines)


def draw_tree(value: object) -> str:
    """Return a syntax tree as indented lines; what is empty or has its usual value is left out."""
    return "".join(f"{line}\n" for line in _lines(value))


def _lines(value: object) -> Iterator[str]:
    for field in dataclasses.fields(value):  # type: ignore[arg-type]  # only dataclasses get here
        inner = getattr(value, field.name)
        if inner in (None, (), {}, False) or inner == _default(field) or isinstance(inner, Span):
            continue
        if isinstance(value, Scalar) and field.name == "place":
            continue
        yield from _field(field.name, inner)


def _default(field: dataclasses.Field[object]) -> object:
    return field.default if field.default is not dataclasses.MISSING else object()


def _field(name: str, value: object) -> Iterator[str]:
    match value:
        case Text():
            yield f"{name}: {value.text!r} @{value.span.start}"
        case Scalar():
            yield f"{name}: {value.value!r} @{value.span.start}"
        case Sequence() | MappingNode():
            yield f"{name}: {to_json(value)!r} @{value.span.start}"
        case tuple() if value and isinstance(value[0], Text):
            yield f"{name}: {[text.text for text in value]}"
        case tuple() if value and dataclasses.is_dataclass(value[0]):
            for item in value:
                yield from _nested(f"{name}: {type(item).__name__}", item)
        case Mapping():
            for key, item in value.items():
                yield from _field(f"{name}.{key}", item)
        case _ if dataclasses.is_dataclass(value):
            yield from _nested(f"{name}: {type(value).__name__}", value)
        case _:
            yield f"{name}: {value!r}"


def _nested(title: str, value: object) -> Iterator[str]:
    yield title
    for line in _lines(value):
        yield f"  {line}"
