"""A tree becomes closures, which then run as often as wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from pawl.core.expressions.coercion import equal, is_truthy, less
from pawl.core.expressions.failure import ExpressionError
from pawl.core.expressions.functions import BUILTINS
from pawl.core.expressions.indexing import element, elements
from pawl.core.expressions.nodes import (
    Call,
    Comparison,
    Context,
    Index,
    Literal,
    Logical,
    Node,
    Not,
    Wildcard,
    walk,
)
from pawl.core.expressions.run import Part, Run
from pawl.core.expressions.text_rules import fold_case
from pawl.core.expressions.trace import TraceNode, hide
from pawl.core.expressions.values import ObjectValue, Value

_LONG = 256


def compile_node(node: Node, text: str | None) -> Part:
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
            operand = compile_node(node.operand, text)
            return lambda run: not is_truthy(operand(run))
        case Comparison():
            return _comparison(node, text)
        case Logical():
            operands = tuple(compile_node(operand, text) for operand in node.operands)
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
    left_part, right_part = compile_node(node.left, text), compile_node(node.right, text)
    compare = _COMPARE[node.operator]

    def comparison(run: Run) -> Value:
        left = left_part(run)
        right = right_part(run)
        if isinstance(left, str) and len(left) > _LONG:
            run.spend_text(left)
        if isinstance(right, str) and len(right) > _LONG:
            run.spend_text(right)
        return compare(left, right)

    return comparison


def _call(node: Call, text: str | None) -> Part:
    arguments = tuple(compile_node(argument, text) for argument in node.arguments)
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
    operand = _untraced(node.operand, text) if is_chain else compile_node(node.operand, text)
    if isinstance(node.key, Wildcard):
        return lambda run: elements(run, operand(run))
    if isinstance(node.key, Literal) and isinstance(node.key.value, str):
        return _property(operand, node.key.value)
    key = compile_node(node.key, text)
    return lambda run: element(run, operand(run), key(run))


def _property(operand: Part, name: str) -> Part:
    def read(run: Run) -> Value:
        value = operand(run)
        if type(value) is ObjectValue:
            return value.look_up(name)
        return element(run, value, name)

    return read
