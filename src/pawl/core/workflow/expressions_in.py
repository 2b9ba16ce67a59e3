"""The expressions in a file: parsed once per text, checked once per text and scope."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pawl.core.diagnostics import Diagnostic, Span, has_errors
from pawl.core.expressions import (
    Condition,
    Expression,
    Scope,
    Template,
    check_expression,
    parse_condition,
    parse_template,
    possibly_untrusted,
)
from pawl.core.expressions.nodes import Literal
from pawl.core.workflow.nodes import Scalar

_NOTHING_KNOWN = Scope(contexts=frozenset())


@dataclass(slots=True)
class ExpressionChecks:
    """Remembers texts that are known to be sound, so that a repeated one costs a look-up."""

    templates: dict[str, Template] = field(default_factory=dict)
    conditions: dict[str, Condition] = field(default_factory=dict)
    _untrusted: dict[str, bool] = field(default_factory=dict)
    _sound: set[tuple[str, int]] = field(default_factory=set)
    """Texts with the identity of the scope they were checked in; scopes live as long as the grammar."""
    _sound_expressions: set[tuple[str, int]] = field(default_factory=set)
    """The same for what stands between `${{` and `}}`, which texts that differ have in common."""

    def template(self, node: Scalar, scope: Scope | None) -> tuple[Template, tuple[Diagnostic, ...]]:
        """Return the parsed text of `node` and its faults, names that `scope` does not have included."""
        text = node.text
        if (text, id(scope)) in self._sound:
            return self.templates[text], ()
        template, found = parse_template(text, locate=node.locate)
        checked = [_at_whole(fault, node) for fault in found]
        for expression in template.expressions:
            if expression.text != "insert":
                checked += self._names(expression, scope)
        if not checked:
            self.templates[text] = template
            self._sound.add((text, id(scope)))
        return template, tuple(checked)

    def _names(self, expression: Expression, scope: Scope | None) -> tuple[Diagnostic, ...]:
        key = (expression.text, id(scope))
        if key in self._sound_expressions:
            return ()
        found = check_expression(expression, scope or _NOTHING_KNOWN)
        if not found:
            self._sound_expressions.add(key)
        return found

    def condition(self, node: Scalar, scope: Scope | None) -> tuple[Diagnostic, ...]:
        """Return the faults of an `if:`."""
        text = node.text
        if (text, id(scope)) in self._sound:
            return ()
        condition, found = parse_node_condition(node, scope)
        if condition.expression is not None:
            found = (*found, *check_expression(condition.expression, scope or _NOTHING_KNOWN))
        found = tuple(_about_secrets(fault, scope) for fault in found)
        if not has_errors(found):
            self.conditions[text] = condition
        if not found:
            self._sound.add((text, id(scope)))
        return found

    def effective(self, node: Scalar) -> str:
        """Return the effective text of the condition of a job or step."""
        known = self.conditions.get(node.text)
        return (known or parse_node_condition(node, None)[0]).effective

    def may_be_untrusted(self, template: Template) -> bool:
        """Return whether a text that outsiders choose may be part of what the template gives."""
        for expression in template.expressions:
            known = self._untrusted.get(expression.text)
            if known is None:
                known = bool(possibly_untrusted(expression))
                self._untrusted[expression.text] = known
            if known:
                return True
        return False

    def literal(self, template: Template) -> str | None:
        """Return what a lone `${{ 'text' }}` stands for: GitHub reads it as if written plainly."""
        if not template.is_single_expression:
            return None
        root = template.expressions[0].root
        return root.value if isinstance(root, Literal) and isinstance(root.value, str) else None


def _about_secrets(fault: Diagnostic, scope: Scope | None) -> Diagnostic:
    """Return the fault with advice when it is about secrets in a condition."""
    if fault.code != "unknown-context" or "`secrets`" not in fault.message.partition(" cannot")[0]:
        return fault
    if scope is not None and scope.has_context("env"):
        return replace(fault, hint="put the secret in the job's `env:` and test `env.NAME != ''`")
    return replace(
        fault, hint="a job cannot look at secrets; test them in the conditions of its steps, by `env`"
    )


def _at_whole(fault: Diagnostic, node: Scalar) -> Diagnostic:
    """Return a fault of the whole text at the scalar itself rather than at its first character."""
    return replace(fault, span=node.span) if fault.code == "expression-too-long" else fault


def parse_node_condition(node: Scalar, scope: Scope | None) -> tuple[Condition, tuple[Diagnostic, ...]]:
    """Return the condition of an `if:`; where no status function is known (`snapshot`), none is implied."""
    implicit = "success()" if scope is None or "success" in scope.functions else None
    return parse_condition(node.text, locate=node.locate, implicit=implicit)


def is_insert(template: Template) -> bool:
    """Return whether one of the expressions is the directive `insert`."""
    return any(expression.text == "insert" for expression in template.expressions)


def insert_fault(span: Span) -> Diagnostic:
    """Return what is said about `${{ insert }}` anywhere but as a whole key."""
    return Diagnostic(
        code="insert-directive",
        message="found `${{ insert }}` in a value, expected it as a whole key, which puts a mapping in",
        span=span,
    )
