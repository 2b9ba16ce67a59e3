"""What a grammar is made of: definitions by name, each with a shape.

One model, three uses: the structural checks (`read.py`), the checks of expressions in each field (a
definition names the scope its expressions live in) and the JSON Schema (`json_schema.py`). The way
definitions combine is GitHub's template schema (actions/languageservices, workflow-parser/src/templates).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class NullShape:
    """Nothing: `push:`."""


@dataclass(frozen=True, slots=True)
class BooleanShape:
    """`true` or `false`."""


@dataclass(frozen=True, slots=True)
class NumberShape:
    """A number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StringShape:
    """A text; numbers, booleans and null are turned into one.

    Attributes:
        words: the only texts allowed; none given, any.
        is_condition: whether the text is an expression without `${{ }}` around it (`if:`).
    """

    non_empty: bool = False
    words: tuple[str, ...] = ()
    is_condition: bool = False


@dataclass(frozen=True, slots=True)
class SequenceShape:
    """A list whose items have the definition `item`."""

    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A known key of a mapping.

    Attributes:
        type: the name of the value's definition.
        own: whether it is Pawl's own, unknown to GitHub.
        implied: whether a file that uses a key of Pawl's own anywhere may leave this required one out.
        stands_for: for the original design's spelling of a key: GitHub's key of the same meaning.
    """

    type: str
    about: str
    required: bool = False
    own: bool = False
    implied: bool = False
    stands_for: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingShape:
    """A mapping of known `keys`, or of any other keys when `other_key` and `other_value` say of which kind.

    Attributes:
        own: a shape that GitHub does not have; it is only tried when none of the known keys is there.
    """

    keys: Mapping[str, Key] = field(default_factory=dict)
    other_key: str | None = None
    other_value: str = "any"
    own: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """Any of several definitions."""

    options: tuple[str, ...]


Shape: TypeAlias = (
    "NullShape | BooleanShape | NumberShape | StringShape | SequenceShape | MappingShape | OneOf"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A named piece of the grammar.

    Attributes:
        scope: the name of the scope (pawl.core.expressions.SCOPES) that its expressions add to their
            surroundings'; None when it adds nothing. Where nothing was ever added no expression may stand.
        about: one sentence for people; shown by editors.
    """

    shape: Shape
    scope: str | None = None
    about: str = ""


Grammar: TypeAlias = Mapping[str, Definition]

BUILT_IN: Grammar = {
    "null": Definition(shape=NullShape()),
    "boolean": Definition(shape=BooleanShape()),
    "number": Definition(shape=NumberShape()),
    "string": Definition(shape=StringShape()),
    "non-empty-string": Definition(shape=StringShape(non_empty=True)),
    "sequence": Definition(shape=SequenceShape("any")),
    "mapping": Definition(shape=MappingShape(other_key="string")),
    "any": Definition(shape=OneOf(("null", "boolean", "number", "string", "sequence", "mapping"))),
    "strings": Definition(shape=SequenceShape("string")),
    "non-empty-strings": Definition(shape=SequenceShape("non-empty-string")),
    "string-or-strings": Definition(shape=OneOf(("non-empty-string", "non-empty-strings"))),
}


def key(type_: str, about: str, *, required: bool = False, implied: bool = False) -> Key:
    """Return a key as GitHub has it."""
    return Key(type=type_, about=about, required=required, implied=implied)


def own_key(type_: str, about: str, *, stands_for: str | None = None) -> Key:
    """Return a key that only Pawl has."""
    return Key(type=type_, about=about, own=True, stands_for=stands_for)


def own_timeout(type_: str) -> Key:
    """Return the key `timeout` of jobs and steps."""
    about = "Like `timeout-minutes`: `90s`, `10m`, `1h30m`, or minutes."
    return own_key(type_, about, stands_for="timeout-minutes")


def keys(about: str = "", scope: str | None = None, /, **known: Key) -> Definition:
    """Return a mapping of known keys; `_` in a Python name stands for `-` in the file's.

    A key that really holds `_` is given with `__`; one that is a Python keyword ends in `_`.
    """
    named = {_file_name(name): value for name, value in known.items()}
    return Definition(shape=MappingShape(keys=named), scope=scope, about=about)


def any_keys(value: str, about: str = "", *, scope: str | None = None) -> Definition:
    """Return a mapping of any non-empty keys to values of the definition `value`."""
    return Definition(
        shape=MappingShape(other_key="non-empty-string", other_value=value), scope=scope, about=about
    )


def words(*allowed: str, about: str = "") -> Definition:
    """Return a text that must be one of `allowed`."""
    return Definition(shape=StringShape(words=allowed), about=about)


def one_of(*options: str, about: str = "", scope: str | None = None) -> Definition:
    """Return any of several definitions."""
    return Definition(shape=OneOf(options), scope=scope, about=about)


def list_of(item: str, about: str = "") -> Definition:
    """Return a list of `item`."""
    return Definition(shape=SequenceShape(item), about=about)


def condition(scope: str, about: str) -> Definition:
    """Return the text of an `if:`."""
    return Definition(shape=StringShape(is_condition=True), scope=scope, about=about)


def _file_name(name: str) -> str:
    return name.rstrip("_").replace("__", "\0").replace("_", "-").replace("\0", "_")
