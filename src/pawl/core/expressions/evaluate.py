"""The evaluator: a tree becomes closures once, which then run as often as wanted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import assert_never

from pawl.core.expressions.coercion import equal, is_primitive, is_truthy, less, to_number, to_text
from pawl.core.expressions.failure import ExpressionError, syntax_fault
from pawl.core.expressions.functions import BUILTINS, EXTENSIONS, Arity
from pawl.core.expressions.limits import DEFAULT_LIMITS, Limits
from pawl.core.expressions.nodes import (
    Call,
    Comparison,
    Context,
    Expression,
    Index,
    Literal,
    Logical,
    Node,
    Not,
    Wildcard,
    walk,
)
from pawl.core.expressions.parser import parse_or_raise
from pawl.core.expressions.run import Function, Part, Run
from pawl.core.expressions.text_rules import fold_case
from pawl.core.expressions.trace import Trace, TraceNode, hide
from pawl.core.expressions.values import ArrayValue, FilteredArray, ObjectValue, Value

_NO_FUNCTIONS: Mapping[str, Function] = MappingProxyType({})
_NO_TRACE = Trace()
_LARGEST_INDEX = 2**31 - 1
_LONG = 256


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The value of an expression and how it came about."""

    value: Value
    trace: Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class _Program:
    """A compiled expression with the names that must exist before it may run."""

    body: Part
    contexts: tuple[Context, ...]
    extensions: tuple[Call, ...]


def evaluate(
    expression: Expression | str,
    contexts: Mapping[str, Value],
    *,
    functions: Mapping[str, Function] = _NO_FUNCTIONS,
    limits: Limits = DEFAULT_LIMITS,
    trace: bool = True,
) -> Evaluation:
    """Return the value of an expression and its trace.

    Args:
        expression: parsed, or a text without `${{ }}`.
        contexts: values by context name; names ignore letter case.
        functions: functions beyond the language's own by name (`success`, `hashFiles`); names ignore letter
            case; each is called with the values of its arguments and may raise ExpressionError.
        limits: steps and produced characters are looked at.
        trace: without it the trace is empty and evaluation is about twice as fast.

    Raises:
        ExpressionError: kind `syntax` for a text that does not parse, an unknown context or function or a
            wrong number of arguments anywhere in it; kind `evaluation` for all that depends on values.
    """
    if isinstance(expression, str):
        expression = parse_or_raise(expression, limits=limits)
    program = _compile(expression, trace)
    run = Run(contexts, functions, limits)
    try:
        _bind(program, run)
        value = program.body(run)
    except ExpressionError as error:
        raise error.placed(expression.locate) from None
    return Evaluation(value, Trace(run.traced[0]) if run.traced else _NO_TRACE)


@lru_cache(maxsize=2048)
def _compile(expression: Expression, traced: bool) -> _Program:
    nodes = list(walk(expression.root))
    _check_arity(nodes)
    calls = [node for node in nodes if isinstance(node, Call)]
    by_name = {node.name: node for node in reversed(nodes) if isinstance(node, Context)}
    return _Program(
        body=_part(expression.root, expression.text if traced else None),
        contexts=tuple(by_name.values()),
        extensions=tuple(call for call in calls if fold_case(call.name) not in BUILTINS),
    )


def _check_arity(nodes: list[Node]) -> None:
    for node in nodes:
        if isinstance(node, Call):
            fault = arity_fault(node, known_arity(node.name))
            if fault:
                raise fault


def known_arity(name: str) -> Arity | None:
    """Return the widest arity of a function of the language, None for an unknown one."""
    folded = fold_case(name)
    if folded in BUILTINS:
        return BUILTINS[folded].arity
    return EXTENSIONS[folded][1] if folded in EXTENSIONS else None


def arity_fault(call: Call, arity: Arity | None) -> ExpressionError | None:
    """Return what is wrong with the number of arguments of a call, None when nothing is."""
    count = len(call.arguments)
    if arity is not None and not arity.admits(count):
        message = f"`{call.name}` takes {arity}, found {count}"
    elif fold_case(call.name) == "CASE" and count % 2 == 0:
        message = f"`{call.name}` takes an odd number of arguments (pairs and a default), found {count}"
    else:
        return None
    return syntax_fault(message, call.start, call.end - call.start, code="wrong-arity")


def _bind(program: _Program, run: Run) -> None:
    """Make sure that every name exists, whatever its letter case; nothing is evaluated before."""
    for node in program.contexts:
        if node.name not in run.contexts:
            found = _same_name(node.name, run.contexts)
            if found is None:
                message = f"unknown context `{node.name}`"
                raise syntax_fault(message, node.start, len(node.name), code="unknown-context")
            run.contexts = {**run.contexts, node.name: run.contexts[found]}
    for call in program.extensions:
        if call.name not in run.functions:
            found = _same_name(call.name, run.functions)
            if found is None:
                message = f"unknown function `{call.name}`"
                raise syntax_fault(message, call.start, len(call.name), code="unknown-function")
            run.functions = {**run.functions, call.name: run.functions[found]}


def _same_name(name: str, names: Mapping[str, object]) -> str | None:
    folded = fold_case(name)
    return next((known for known in names if fold_case(known) == folded), None)


def _part(node: Node, text: str | None) -> Part:
    """Return the code of `node`; with `text`, the expression's, it also writes the trace."""
    part = _untraced(node, text)
    if text is None or isinstance(node, Literal | Wildcard):
        return part
    source = text[node.start : node.end]
    secret = any(_reads_secret(below) for below in walk(node))

    def traced(run: Run) -> Value:
        before = run.traced
        run.traced = []
        value = part(run)
        shown = hide(value) if secret else value
        before.append(TraceNode(text=source, value=shown, parts=tuple(run.traced)))
        run.traced = before
        return value

    return traced


def _reads_secret(node: Node) -> bool:
    match node:
        case Context(name=name):
            return fold_case(name) == "SECRETS"
        case Index(operand=Context(name=name), key=Literal(value=str() as key)):
            return fold_case(name) == "GITHUB" and fold_case(key) == "TOKEN"
        case _:
            return False


def _untraced(node: Node, text: str | None) -> Part:
    match node:
        case Literal():
            return _constant(node.value)
        case Wildcard():
            return _constant("*")
        case Context():
            return _context(node.name)
        case Index():
            return _index(node, text)
        case Call():
            return _call(node, text)
        case Not():
            operand = _part(node.operand, text)
            return lambda run: not is_truthy(operand(run))
        case Comparison():
            return _comparison(node, text)
        case Logical():
            operands = tuple(_part(operand, text) for operand in node.operands)
            return _logical(operands, stop_at=node.operator == "||")
        case _:
            assert_never(node)


def _constant(value: bool | float | str | None) -> Part:
    return lambda _: value


def _context(name: str) -> Part:
    return lambda run: run.contexts[name]


def _logical(operands: tuple[Part, ...], *, stop_at: bool) -> Part:
    """Return the first operand whose truth is `stop_at`, else the last (language.md rule 5)."""
    first, last = operands[:-1], operands[-1]

    def logical(run: Run) -> Value:
        for operand in first:
            value = operand(run)
            if is_truthy(value) is stop_at:
                return value
        return last(run)

    return logical


_COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": less,
    "<=": lambda left, right: equal(left, right) or less(left, right),
    ">": lambda left, right: less(right, left),
    ">=": lambda left, right: equal(left, right) or less(right, left),
}


def _comparison(node: Comparison, text: str | None) -> Part:
    left_part, right_part = _part(node.left, text), _part(node.right, text)
    compare = _COMPARE[node.operator]

    def comparison(run: Run) -> Value:
        left = left_part(run)
        right = right_part(run)
        if isinstance(left, str) and len(left) > _LONG:
            run.spend_text(left)
        return compare(left, right)

    return comparison


def _call(node: Call, text: str | None) -> Part:
    arguments = tuple(_part(argument, text) for argument in node.arguments)
    builtin = BUILTINS.get(fold_case(node.name))
    name, start, length = node.name, node.start, node.end - node.start

    def call(run: Run) -> Value:
        run.spend(1)
        try:
            if builtin is not None:
                return builtin.call(run, arguments)
            return run.functions[name](*[argument(run) for argument in arguments])
        except ExpressionError as error:
            if error.offset is None:
                error.offset, error.length = start, length
            raise

    return call


def _index(node: Index, text: str | None) -> Part:
    # The beginnings of `a.b.c` are left out of the trace; what stands in brackets is not.
    is_chain = isinstance(node.operand, Context | Index)
    operand = _untraced(node.operand, text) if is_chain else _part(node.operand, text)
    if isinstance(node.key, Wildcard):
        return lambda run: _elements(run, operand(run))
    if isinstance(node.key, Literal) and isinstance(node.key.value, str):
        return _property(operand, node.key.value)
    key = _part(node.key, text)
    return lambda run: _element(run, operand(run), key(run))


def _property(operand: Part, name: str) -> Part:
    def read(run: Run) -> Value:
        value = operand(run)
        if type(value) is ObjectValue:
            return value.look_up(name)
        return _element(run, value, name)

    return read


def _elements(run: Run, value: Value) -> Value:
    """Return what `value.*` gives (language.md rule 11)."""
    if isinstance(value, FilteredArray):
        nested = [item for item in value if not is_primitive(item)]
        run.spend(len(value))
        return FilteredArray(found for item in nested for found in _members(run, item))
    return FilteredArray(_members(run, value))


def _members(run: Run, value: Value) -> list[Value]:
    members: list[Value] = []
    if isinstance(value, ObjectValue):
        members = list(value.values())
    elif isinstance(value, ArrayValue):
        members = list(value)
    run.spend(len(members))
    return members


def _element(run: Run, value: Value, key: Value) -> Value:
    """Return what `value[key]` gives (language.md rules 10 and 11)."""
    if isinstance(value, FilteredArray):
        run.spend(len(value))
        return FilteredArray(found for item in value for found in _found(item, key))
    return next(iter(_found(value, key)), None)


def _found(value: Value, key: Value) -> tuple[Value, ...]:
    """Return the one member of `value` under `key`, or nothing."""
    if isinstance(value, ObjectValue):
        name = to_text(key) if is_primitive(key) else None
        return (value[name],) if name is not None and name in value else ()
    if isinstance(value, ArrayValue):
        index = to_number(key)
        if math.isnan(index) or index < 0 or index > _LARGEST_INDEX or math.floor(index) >= len(value):
            return ()
        return (value[math.floor(index)],)
    return ()
