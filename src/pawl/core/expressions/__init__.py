"""The expression language of `${{ }}` and `if:`: text to tree, checks, values, taint, traces.

Semantics: language.md section 3, whose sources are GitHub's documentation and actions/runner.
"""

from pawl.core.expressions.check import check_expression
from pawl.core.expressions.coercion import equal, is_truthy, to_text
from pawl.core.expressions.condition import Condition, evaluate_condition, parse_condition
from pawl.core.expressions.evaluate import Evaluation, evaluate
from pawl.core.expressions.failure import ExpressionError, Locate
from pawl.core.expressions.limits import DEFAULT_LIMITS, Limits
from pawl.core.expressions.nodes import Expression
from pawl.core.expressions.parser import parse_expression
from pawl.core.expressions.scope import ACTION_SCOPES, SCOPES, Scope
from pawl.core.expressions.template import Embedded, Template, parse_template, render
from pawl.core.expressions.trace import Trace, TraceNode
from pawl.core.expressions.untrusted import UNTRUSTED_PATHS, UntrustedPath, possibly_untrusted
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
    "ACTION_SCOPES",
    "DEFAULT_LIMITS",
    "SCOPES",
    "UNTRUSTED_PATHS",
    "ArrayValue",
    "Condition",
    "Embedded",
    "Evaluation",
    "Expression",
    "ExpressionError",
    "Limits",
    "Locate",
    "ObjectValue",
    "Scope",
    "Template",
    "Trace",
    "TraceNode",
    "Untrusted",
    "UntrustedPath",
    "Value",
    "check_expression",
    "equal",
    "evaluate",
    "evaluate_condition",
    "is_truthy",
    "is_untrusted",
    "parse_condition",
    "parse_expression",
    "parse_template",
    "possibly_untrusted",
    "render",
    "to_plain",
    "to_text",
    "to_value",
]
