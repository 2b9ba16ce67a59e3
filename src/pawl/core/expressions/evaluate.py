"""The evaluator: names are bound, then the compiled expression runs within its budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.expressions.arity import arity_fault, known_arity
from pawl.core.expressions.compile import compile_node
from pawl.core.expressions.failure import ExpressionError, syntax_fault
from pawl.core.expressions.functions import BUILTINS
from pawl.core.expressions.limits import DEFAULT_LIMITS, Limits
from pawl.core.expressions.nodes import Call, Context, Expression, Node, walk
from pawl.core.expressions.parser import parse_or_raise
from pawl.core.expressions.run import Function, Part, Run
from pawl.core.expressions.text_rules import fold_case
from pawl.core.expressions.trace import Trace
from pawl.core.expressions.values import Value

_NO_FUNCTIONS: Mapping[str, Function] = MappingProxyType({})
_NO_TRACE = Trace()


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
    run = Run(contexts, functions, limits)
    value = evaluate_within(expression, run, trace=trace)
    return Evaluation(value, Trace(run.traced[0]) if run.traced else _NO_TRACE)


def evaluate_within(expression: Expression, run: Run, *, trace: bool = False) -> Value:
    """Return the value of an expression, spending from the budget of `run`; raises as `evaluate`."""
    try:
        program = _compile(expression, trace)
        _bind(program, run)
        return program.body(run)
    except ExpressionError as error:
        raise error.placed(expression.locate) from None


@lru_cache(maxsize=2048)
def _compile(expression: Expression, traced: bool) -> _Program:
    nodes = list(walk(expression.root))
    _check_arity(nodes)
    calls = [node for node in nodes if isinstance(node, Call)]
    by_name = {node.name: node for node in reversed(nodes) if isinstance(node, Context)}
    return _Program(
        body=compile_node(expression.root, expression.text if traced else None),
        contexts=tuple(by_name.values()),
        extensions=tuple(call for call in calls if fold_case(call.name) not in BUILTINS),
    )


def _check_arity(nodes: list[Node]) -> None:
    for node in nodes:
        if isinstance(node, Call):
            fault = arity_fault(node, known_arity(node.name))
            if fault:
                raise fault


def _bind(program: _Program, run: Run) -> None:
    """Make sure that every name exists, whatever its letter case; nothing is evaluated before."""
    for node in program.contexts:
        if node.name not in run.contexts:
            found = _same_name(node.name, run.contexts)
            if found is None:
                message = f"unknown context `{node.name}`"
                hint = did_you_mean(node.name, run.contexts)
                raise syntax_fault(message, node.start, len(node.name), code="unknown-context", hint=hint)
            run.contexts = {**run.contexts, node.name: run.contexts[found]}
    for call in program.extensions:
        if call.name not in run.functions:
            found = _same_name(call.name, run.functions)
            if found is None:
                message = f"unknown function `{call.name}`"
                known = [*(builtin.name for builtin in BUILTINS.values()), *run.functions]
                hint = did_you_mean(call.name, known) or f"there are {', '.join(known)}"
                raise syntax_fault(message, call.start, len(call.name), code="unknown-function", hint=hint)
            run.functions = {**run.functions, call.name: run.functions[found]}


def _same_name(name: str, names: Mapping[str, object]) -> str | None:
    folded = fold_case(name)
    return next((known for known in names if fold_case(known) == folded), None)
