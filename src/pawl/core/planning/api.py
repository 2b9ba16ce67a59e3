"""What other tools build on: `pawl.parse_workflow`, `pawl.evaluate`, `pawl.plan`.

These three are stable: arguments are only ever added, and have defaults. They read no file, clock or network.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pawl.core.diagnostics import has_errors
from pawl.core.expressions import evaluate as evaluate_expression
from pawl.core.expressions import to_plain, to_value
from pawl.core.model.events import Event
from pawl.core.planning.plan import Planned, plan_workflow
from pawl.core.steps.outcome import status_functions
from pawl.core.triggers import stub_event
from pawl.core.workflow.parse import Parsed, parse_workflow
from pawl.core.workflow.syntax import Workflow

__all__ = ["Event", "Parsed", "Planned", "evaluate", "parse_workflow", "plan"]

_NO_CONTEXTS: Mapping[str, object] = MappingProxyType({})
_NOTHING: Mapping[str, str] = MappingProxyType({})


def evaluate(
    expression: str, contexts: Mapping[str, object] = _NO_CONTEXTS, *, status: str = "success"
) -> object:
    """Return the value of an expression as plain data (None, bool, int, float, str, list, dict).

        >>> evaluate("startsWith(github.ref, 'refs/tags/')", {"github": {"ref": "refs/tags/v1"}})
        True

    Args:
        expression: with or without `${{ }}` around it.
        contexts: plain data by context name; `env` is case-sensitive, as on Linux.
        status: what `success()`, `failure()` and `cancelled()` see: `success`, `failure` or `cancelled`.

    Raises:
        pawl.core.expressions.ExpressionError: it cannot be parsed or evaluated; `kind` says which.
    """
    text = expression.strip()
    if text.startswith("${{") and text.endswith("}}"):
        text = text[3:-2]
    values = {name: to_value(data, case_sensitive=name == "env") for name, data in contexts.items()}
    return to_plain(evaluate_expression(text, values, functions=status_functions(status), trace=False).value)


def plan(
    workflow: Workflow | str | bytes,
    event: Event | None = None,
    *,
    inputs: Mapping[str, str] = _NOTHING,
    variables: Mapping[str, str] = _NOTHING,
    path: str = "workflow.yml",
) -> Planned:
    """Return what an event would make a workflow do, with all findings in the file.

    Args:
        workflow: parsed, or the text of a workflow file.
        event: what happened; by default one is made up that starts the workflow.
        inputs: texts by name for `workflow_dispatch`.
        variables: the `vars` context.
        path: the file's name, when `workflow` is a text.

    Raises:
        UsageError: the event's payload is nested too deeply.
    """
    if not isinstance(workflow, Workflow):
        parsed = parse_workflow(workflow, path)
        if parsed.workflow is None or has_errors(parsed.diagnostics):
            return Planned(plan=None, diagnostics=parsed.diagnostics)
        planned = plan(parsed.workflow, event, inputs=inputs, variables=variables)
        return Planned(plan=planned.plan, diagnostics=(*parsed.diagnostics, *planned.diagnostics))
    happened = event or stub_event(workflow)
    return plan_workflow(workflow, happened, inputs=inputs, variables=variables)
