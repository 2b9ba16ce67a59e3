"""What the types of a call's arguments rule out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pawl.core.expressions.nodes import Call, Node
from pawl.core.expressions.text_rules import fold_case
from pawl.core.expressions.types import ANY, ArrayType, ObjectType, Scalar, Type, describe_type


@dataclass(frozen=True, slots=True)
class ArgumentFault:
    """An argument whose type leaves the call one result only."""

    argument: Node
    message: str


_Fault = tuple[int, str, str]
"""The number of the argument from 0, what was expected, what the result is."""


def argument_faults(call: Call, types: list[Type]) -> list[ArgumentFault]:
    """Return what is wrong with the types of a call's arguments; their number must be right."""
    rule = _RULES.get(fold_case(call.name))
    return [
        ArgumentFault(
            call.arguments[index],
            f"argument {index + 1} of `{call.name}` is {describe_type(types[index])}, expected {expected}: "
            f"the result is {result}",
        )
        for index, expected, result in (rule(types) if rule else ())
    ]


def _is_collection(type_: Type) -> bool:
    return isinstance(type_, ArrayType | ObjectType)


def _contains(types: list[Type]) -> Iterator[_Fault]:
    if isinstance(types[0], ObjectType):
        yield 0, "a string or an array", "always false"
    elif isinstance(types[0], Scalar) and _is_collection(types[1]):
        yield 1, "a string", "always false"


def _affix(types: list[Type]) -> Iterator[_Fault]:
    for index, type_ in enumerate(types):
        if _is_collection(type_):
            yield index, "a string", "always false"


def _join(types: list[Type]) -> Iterator[_Fault]:
    if isinstance(types[0], ObjectType):
        yield 0, "an array", "always empty"


def _from_json(types: list[Type]) -> Iterator[_Fault]:
    if _is_collection(types[0]) or types[0] is Scalar.NULL:
        yield 0, "a string", "always an error"


def _format(types: list[Type]) -> Iterator[_Fault]:
    for index, type_ in enumerate(types):
        if _is_collection(type_):
            yield index, "a primitive", "the word `Array` or `Object`"


def _case(types: list[Type]) -> Iterator[_Fault]:
    for index in range(0, len(types) - 1, 2):
        if types[index] not in (ANY, Scalar.BOOLEAN):
            yield index, "true or false", "always an error"


_RULES: dict[str, Callable[[list[Type]], Iterator[_Fault]]] = {
    "CONTAINS": _contains,
    "STARTSWITH": _affix,
    "ENDSWITH": _affix,
    "JOIN": _join,
    "FROMJSON": _from_json,
    "FORMAT": _format,
    "CASE": _case,
}
