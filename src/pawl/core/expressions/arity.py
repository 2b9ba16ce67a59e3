"""Whether a call has as many arguments as its function takes."""

from __future__ import annotations

from pawl.core.expressions.failure import ExpressionError, syntax_fault
from pawl.core.expressions.functions import BUILTINS, EXTENSIONS, Arity
from pawl.core.expressions.nodes import Call
from pawl.core.expressions.text_rules import fold_case


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
