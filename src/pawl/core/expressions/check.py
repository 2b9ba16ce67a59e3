"""The static check: names by place, arity, and what types rule out."""

from __future__ import annotations

from typing import assert_never

from pawl.core.diagnostics import Diagnostic, Severity, Span
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.expressions.argument_types import argument_faults
from pawl.core.expressions.arity import arity_fault
from pawl.core.expressions.functions import BUILTINS, EXTENSIONS
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
)
from pawl.core.expressions.scope import Scope
from pawl.core.expressions.text_rules import fold_case
from pawl.core.expressions.types import (
    ANY,
    CONTEXT_TYPES,
    AnyType,
    ArrayType,
    ObjectType,
    Scalar,
    Type,
    describe_type,
)

_RESULTS: dict[str, Type] = {
    "CONTAINS": Scalar.BOOLEAN,
    "STARTSWITH": Scalar.BOOLEAN,
    "ENDSWITH": Scalar.BOOLEAN,
    "FORMAT": Scalar.STRING,
    "JOIN": Scalar.STRING,
    "TOJSON": Scalar.STRING,
    "SUCCESS": Scalar.BOOLEAN,
    "FAILURE": Scalar.BOOLEAN,
    "CANCELLED": Scalar.BOOLEAN,
    "ALWAYS": Scalar.BOOLEAN,
    "HASHFILES": Scalar.STRING,
}


def check_expression(expression: Expression, scope: Scope) -> tuple[Diagnostic, ...]:
    """Return everything that is wrong with a parsed expression at a place of the file.

    Errors, as GitHub's: `unknown-context`, `unknown-function`, `wrong-arity`. Warnings, where GitHub says
    nothing: `unknown-property` of a context whose properties are known, `type-mismatch` for what can only
    ever give one result.
    """
    checker = _Checker(expression, scope)
    checker.infer(expression.root)
    return tuple(sorted(checker.found, key=lambda diagnostic: diagnostic.span))


class _Checker:
    def __init__(self, expression: Expression, scope: Scope) -> None:
        self._expression = expression
        self._scope = scope
        self.found: list[Diagnostic] = []

    def infer(self, node: Node) -> Type:
        """Return what is known about the node's value, noting what is wrong below it."""
        match node:
            case Literal():
                return _literal(node)
            case Wildcard():
                return Scalar.STRING
            case Context():
                return self._context(node)
            case Index():
                return self._index(node)
            case Call():
                return self._call(node)
            case Not():
                self.infer(node.operand)
                return Scalar.BOOLEAN
            case Comparison():
                return self._comparison(node)
            case Logical():
                types = [self.infer(operand) for operand in node.operands]
                return types[0] if all(type_ == types[0] for type_ in types) else ANY
            case _:
                assert_never(node)

    def _note(
        self, code: str, message: str, node: Node, hint: str | None = None, *, warn: bool = True
    ) -> None:
        locate = self._expression.locate
        severity = Severity.WARNING if warn else Severity.ERROR
        span = Span(locate(node.start), locate(node.end))
        self.found.append(Diagnostic(code=code, message=message, span=span, severity=severity, hint=hint))

    def _context(self, node: Context) -> Type:
        if not self._scope.has_context(node.name):
            self._unknown_context(node)
            return ANY
        folded = fold_case(node.name)
        for name, type_ in self._scope.types.items():
            if fold_case(name) == folded:
                return type_
        return ANY

    def _unknown_context(self, node: Context) -> None:
        known = sorted(self._scope.contexts)
        listed = ", ".join(f"`{name}`" for name in known) or "none"
        if any(fold_case(name) == fold_case(node.name) for name in CONTEXT_TYPES):
            message = f"context `{node.name}` cannot be used here; expected one of {listed}"
            hint = "hand it to `env` and look at that" if fold_case(node.name) == "SECRETS" else None
            self._note("unknown-context", message, node, hint, warn=False)
            return
        message = f"unknown context `{node.name}`; expected one of {listed}"
        hint = did_you_mean(node.name, known)
        if self._scope.arity(node.name) is not None:
            hint = f"a function is called: `{node.name}()`; a text stands in quotes: `'{node.name}'`"
        elif hint is None:
            hint = f"a text stands in single quotes: `'{node.name[:40]}'`"
        self._note("unknown-context", message, node, hint, warn=False)

    def _index(self, node: Index) -> Type:
        operand = self.infer(node.operand)
        if isinstance(node.key, Wildcard):
            return _elements(operand)
        self.infer(node.key)
        name = node.key.value if isinstance(node.key, Literal) else None
        if isinstance(operand, Scalar):
            message = f"{describe_type(operand)} has no properties: this is always null"
            self._note("type-mismatch", message, node)
            return Scalar.NULL
        if isinstance(operand, ArrayType) and operand.filtered:
            return ArrayType(_member(operand.element, name), filtered=True)
        if isinstance(operand, ObjectType) and isinstance(name, str):
            found = operand.look_up(name)
            if found is None:
                self._unknown_property(node, operand, name)
            return found or ANY
        return _member(operand, name)

    def _unknown_property(self, node: Index, operand: ObjectType, name: str) -> None:
        owner = self._expression.text[node.operand.start : node.operand.end]
        message = f"`{owner[:60]}` has no property `{name[:60]}`: this is always null"
        self._note("unknown-property", message, node.key, did_you_mean(name, operand.properties))

    def _call(self, node: Call) -> Type:
        types = [self.infer(argument) for argument in node.arguments]
        arity = self._scope.arity(node.name)
        if arity is None:
            self._unknown_function(node)
            return ANY
        fault = arity_fault(node, arity)
        if fault is not None:
            self._note(fault.code, fault.message, node, warn=False)
        else:
            for wrong in argument_faults(node, types):
                self._note("type-mismatch", wrong.message, wrong.argument)
        if fold_case(node.name) == "CASE" and types:
            values = [*types[1::2], types[-1]]
            return values[0] if all(value == values[0] for value in values) else ANY
        return _RESULTS.get(fold_case(node.name), ANY)

    def _unknown_function(self, node: Call) -> None:
        known = [*(builtin.name for builtin in BUILTINS.values()), *sorted(self._scope.functions)]
        listed = ", ".join(f"`{name}`" for name in known)
        exists = fold_case(node.name) in EXTENSIONS
        what = f"function `{node.name}` cannot be used here" if exists else f"unknown function `{node.name}`"
        hint = None if exists else did_you_mean(node.name, known)
        name = Context(name=node.name, start=node.start, end=node.start + len(node.name))
        self._note("unknown-function", f"{what}; expected one of {listed}", name, hint, warn=False)

    def _comparison(self, node: Comparison) -> Type:
        left, right = self.infer(node.left), self.infer(node.right)
        if _is_decided(node.operator, left, right):
            result = "true" if node.operator == "!=" else "false"
            message = f"{describe_type(left)} `{node.operator}` {describe_type(right)} is always {result}"
            self._note("type-mismatch", message, node)
        return Scalar.BOOLEAN


def _is_decided(operator: str, left: Type, right: Type) -> bool:
    """Return whether arrays and objects make the result the same whatever the values (rules 1 and 4)."""
    if not isinstance(left, ArrayType | ObjectType) and not isinstance(right, ArrayType | ObjectType):
        return False
    if operator in ("<", ">"):
        return True
    return AnyType not in (type(left), type(right)) and type(left) is not type(right)


def _literal(node: Literal) -> Type:
    match node.value:
        case None:
            return Scalar.NULL
        case bool():
            return Scalar.BOOLEAN
        case float():
            return Scalar.NUMBER
        case str():
            return Scalar.STRING


def _elements(type_: Type) -> Type:
    """Return what `x.*` gives for an `x` of this type."""
    match type_:
        case ArrayType(element=element, filtered=True):
            inner = _elements(element)
            return inner if isinstance(inner, ArrayType) else ArrayType(ANY, filtered=True)
        case ArrayType(element=element):
            return ArrayType(element, filtered=True)
        case ObjectType(properties=properties, rest=rest):
            kinds = [*properties.values(), *([rest] if rest is not None else [])]
            same = bool(kinds) and all(kind == kinds[0] for kind in kinds)
            return ArrayType(kinds[0] if same else ANY, filtered=True)
        case _:
            return ArrayType(ANY, filtered=True)


def _member(type_: Type, name: bool | float | str | None) -> Type:
    """Return what is known about one member of a value of this type."""
    match type_:
        case ArrayType(element=element):
            return element
        case ObjectType() if isinstance(name, str):
            return type_.look_up(name) or ANY
        case ObjectType(properties=properties, rest=rest):
            return rest if rest is not None and not properties else ANY
        case _:
            return ANY
