"""The expression language of `${{ }}` and `if:`: text to tree, checks, values, taint, traces.

Semantics: language.md section 3, whose sources are GitHub's documentation and actions/runner.
"""

from pawl.core.expressions.coercion import is_truthy, to_text
from pawl.core.expressions.condition import Condition, evaluate_condition, parse_condition
from pawl.core.expressions.evaluate import Evaluation, evaluate
from pawl.core.expressions.failure import ExpressionError, Locate
from pawl.core.expressions.limits import DEFAULT_LIMITS, Limits
from pawl.core.expressions.nodes import Expression
from pawl.core.expressions.parser import parse_expression
from pawl.core.expressions.template import Embedded, Template, parse_template, render
from pawl.core.expressions.trace import Trace, TraceNode
from pawl.core.expressions.values import (
    ArrayValue,
    ObjectValue,
    Untrusted,
    Value,
    is_untrusted,
    to_plain,
    to_value,
)

__all__ = [
    "DEFAULT_LIMITS",
    "ArrayValue",
    "Condition",
    "Embedded",
    "Evaluation",
    "Expression",
    "ExpressionError",
    "Limits",
    "Locate",
    "ObjectValue",
    "Template",
    "Trace",
    "TraceNode",
    "Untrusted",
    "Value",
    "evaluate",
    "evaluate_condition",
    "is_truthy",
    "is_untrusted",
    "parse_condition",
    "parse_expression",
    "parse_template",
    "render",
    "to_plain",
    "to_text",
    "to_value",
]
