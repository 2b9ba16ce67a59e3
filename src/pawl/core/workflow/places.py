"""The grammar made ready for reading: each definition together with the scope of the place it is used in.

The scope of a place is what its own definition adds to its surroundings' (actions/languageservices,
definition-info.ts); the same definition can therefore be several places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pawl.core.expressions import Scope
from pawl.core.workflow.grammar.shapes import (
    BooleanShape,
    Definition,
    Grammar,
    MappingShape,
    NullShape,
    NumberShape,
    OneOf,
    SequenceShape,
    StringShape,
)

ScalarShape = NullShape | BooleanShape | NumberShape | StringShape


@dataclass(slots=True, eq=False)
class Place:
    """What may stand somewhere in a file.

    Attributes:
        scope: what expressions may use here; None where no expression may stand.
        scalars, item, mappings: the kinds of value allowed; `item` is a list's definition.
        takes_any_text: whether every text that is not empty fits, which spares most scalars a closer look.
    """

    name: str
    scope: Scope | None
    scalars: tuple[ScalarShape, ...]
    item: str | None
    mappings: tuple[MappingShape, ...]
    is_condition: bool
    takes_any_text: bool
    _grammar: Grammar = field(repr=False)
    _scopes: Mapping[str, Scope] = field(repr=False)
    _inner: dict[str, Place] = field(default_factory=dict, repr=False)

    def inner(self, name: str) -> Place:
        """Return the place of the definition `name` inside this one."""
        place = self._inner.get(name)
        if place is None:
            place = _make_place(name, self._grammar, self._scopes, self.scope)
            self._inner[name] = place
        return place


def root_place(name: str, grammar: Grammar, scopes: Mapping[str, Scope]) -> Place:
    """Return the place of a whole file whose definition is `name`."""
    return _make_place(name, grammar, scopes, None)


def _make_place(name: str, grammar: Grammar, scopes: Mapping[str, Scope], outer: Scope | None) -> Place:
    definition = grammar[name]
    shapes = [option.shape for option in _flat(definition, grammar)]
    item = next((shape.item for shape in shapes if isinstance(shape, SequenceShape)), None)
    return Place(
        name=name,
        scope=_joined(outer, definition, scopes),
        scalars=tuple(shape for shape in shapes if isinstance(shape, ScalarShape)),
        item=item,
        mappings=tuple(shape for shape in shapes if isinstance(shape, MappingShape)),
        is_condition=any(isinstance(shape, StringShape) and shape.is_condition for shape in shapes),
        takes_any_text=any(isinstance(shape, StringShape) and not shape.words for shape in shapes),
        _grammar=grammar,
        _scopes=scopes,
    )


def _flat(definition: Definition, grammar: Grammar) -> list[Definition]:
    if not isinstance(definition.shape, OneOf):
        return [definition]
    return [flat for option in definition.shape.options for flat in _flat(grammar[option], grammar)]


def _joined(outer: Scope | None, definition: Definition, scopes: Mapping[str, Scope]) -> Scope | None:
    own = scopes[definition.scope] if definition.scope else None
    if own is None or outer is None:
        return own or outer
    return Scope(
        contexts=outer.contexts | own.contexts,
        functions=outer.functions | own.functions,
        arities={**outer.arities, **own.arities},
        types={**outer.types, **own.types},
    )
