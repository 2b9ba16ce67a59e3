"""The JSON Schema of workflow files, for editors: made from the same grammar that the parser checks with.

A schema cannot see scopes, so it says less than the parser: where expressions may stand it accepts any text
with `${{`. Whatever the parser accepts, the schema accepts too.
"""

from __future__ import annotations

from typing import TypeAlias

from pawl.core.workflow.grammar import WORKFLOW_GRAMMAR
from pawl.core.workflow.grammar.shapes import (
    BooleanShape,
    Definition,
    Grammar,
    Key,
    MappingShape,
    NullShape,
    NumberShape,
    OneOf,
    SequenceShape,
    Shape,
    StringShape,
)

Schema: TypeAlias = "dict[str, object]"

_DRAFT = "http://json-schema.org/draft-07/schema#"
_EXPRESSION: Schema = {"type": "string", "pattern": r"\$\{\{", "description": "An expression: `${{ ... }}`."}


def json_schema(grammar: Grammar = WORKFLOW_GRAMMAR, root: str = "workflow") -> Schema:
    """Return the schema (draft 7) of the definition `root`, as plain data."""
    writer = _Writer(grammar)
    top = writer.reference(root, templates=False)
    writer.finish()
    return {
        "$schema": _DRAFT,
        "title": "Pawl workflow" if root == "workflow" else f"Pawl {root}",
        "allOf": [top],
        "definitions": {name: writer.definitions[name] for name in sorted(writer.definitions)},
    }


class _Writer:
    """Writes each definition twice at most: where expressions may stand, and where not."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.definitions: dict[str, Schema] = {"expression": _EXPRESSION}
        self.waiting: list[tuple[str, str, bool]] = []
        self.known: set[str] = set()

    def reference(self, name: str, *, templates: bool) -> Schema:
        templates = templates or self.grammar[name].scope is not None
        title = f"{name}-with-expressions" if templates else name
        if title not in self.known:
            self.known.add(title)
            self.waiting.append((title, name, templates))
        return {"$ref": f"#/definitions/{title}"}

    def finish(self) -> None:
        while self.waiting:
            title, name, templates = self.waiting.pop()
            self.definitions[title] = self.definition(self.grammar[name], templates=templates)

    def definition(self, definition: Definition, *, templates: bool) -> Schema:
        schema = self.shape(definition.shape, templates=templates)
        if templates and not isinstance(definition.shape, OneOf):
            schema = {"anyOf": [schema, {"$ref": "#/definitions/expression"}]}
        return {"description": definition.about, **schema} if definition.about else schema

    def shape(self, shape: Shape, *, templates: bool) -> Schema:
        match shape:
            case NullShape():
                return {"type": "null"}
            case BooleanShape():
                return {"type": "boolean"}
            case NumberShape():
                return {"type": "number"}
            case StringShape():
                return _text(shape)
            case SequenceShape(item=item):
                return {"type": "array", "items": self.reference(item, templates=templates)}
            case OneOf(options=options):
                return {"anyOf": [self.reference(option, templates=templates) for option in options]}
            case MappingShape():
                return self.mapping(shape, templates=templates)

    def mapping(self, shape: MappingShape, *, templates: bool) -> Schema:
        schema: Schema = {"type": "object"}
        if shape.keys:
            schema["properties"] = {
                name: self.property(key, templates=templates) for name, key in shape.keys.items()
            }
        if templates:
            schema["patternProperties"] = {r"^\$\{\{": True}
        schema["additionalProperties"] = (
            self.reference(shape.other_value, templates=templates) if shape.other_key else False
        )
        if required := _required(shape, templates=templates):
            schema["allOf"] = required
        return schema

    def property(self, key: Key, *, templates: bool) -> Schema:
        about = f"{key.about} (Pawl's own)" if key.own else key.about
        # Siblings of `$ref` are ignored in draft 7, so it goes one level down.
        return {"description": about, "allOf": [self.reference(key.type, templates=templates)]}


def _text(shape: StringShape) -> Schema:
    if shape.words:
        return {"enum": list(shape.words)}
    if shape.non_empty:
        return {"type": ["string", "number", "boolean"], "minLength": 1}
    return {"type": ["string", "number", "boolean", "null"]}


def _required(shape: MappingShape, *, templates: bool) -> list[Schema]:
    """Return that each required key is there under one of its spellings."""
    result: list[Schema] = []
    for name, key in shape.keys.items():
        if not key.required or key.implied:  # whether an implied key may be left out no schema can say
            continue
        spellings = [name, *(other for other, known in shape.keys.items() if known.stands_for == name)]
        options: list[Schema] = [{"required": [spelling]} for spelling in spellings]
        if templates:
            options.append({"not": {"propertyNames": {"not": {"pattern": r"^\$\{\{"}}}})
        result.append({"anyOf": options} if len(options) > 1 else options[0])
    return result
