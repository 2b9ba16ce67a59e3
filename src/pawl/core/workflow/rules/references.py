"""References to jobs, steps, matrix values and inputs that are not there: the value is always null.

rhysd/actionlint checks these too ("Strict type checking for object types" of its own pages).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pawl.core.diagnostics import Diagnostic, Span
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.expressions import Expression, parse_template
from pawl.core.expressions.nodes import Context, Index, Literal, walk
from pawl.core.workflow.expressions_in import parse_node_condition
from pawl.core.workflow.fields import has_expression
from pawl.core.workflow.nodes import Mapping as MappingNode
from pawl.core.workflow.nodes import Node, Scalar, Sequence
from pawl.core.workflow.rules.subject import Subject, steps_of, warning
from pawl.core.workflow.syntax import Job

Names = Mapping[str, frozenset[str]]
"""For each context whose properties are known, in lower case: their names, in lower case."""

_MISSING = {
    "needs": "the job does not need a job of that name",
    "steps": "no step of the job has that id",
    "matrix": "the job's matrix has no such value",
    "inputs": "the workflow declares no such input",
}
_SUGGESTED = 100
"""Names among which a misspelt one is looked for."""


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield `unknown-reference`."""
    finder = _Finder(subject, frozenset(job.key.lower() for job in subject.jobs))
    inputs = _inputs(subject)
    jobs = subject.root.get("jobs")
    nodes = {name.text: node for name, node in jobs} if isinstance(jobs, MappingNode) else {}
    for job in subject.jobs:
        yield from finder.check(nodes[job.key], {**inputs, **_names_of(job)})


def _inputs(subject: Subject) -> Names:
    declared = [given.name.text for trigger in subject.workflow.triggers for given in trigger.inputs]
    return {"inputs": frozenset(name.lower() for name in declared)}


def _names_of(job: Job) -> Names:
    known = {
        "needs": frozenset(need.text.lower() for need in job.needs),
        "steps": frozenset(step.common.id.lower() for step in steps_of(job) if step.common.has_own_id),
    }
    matrix = _matrix_names(job)
    return known if matrix is None else {**known, "matrix": matrix}


def _matrix_names(job: Job) -> frozenset[str] | None:
    """Return the names that the matrix gives; None when only a run can tell."""
    matrix = job.strategy.matrix if job.strategy else None
    if not isinstance(matrix, MappingNode):
        return None if matrix is not None else frozenset()
    include = matrix.get("include")
    if has_expression(include) or any("${{" in name.text for name, _ in matrix):
        return None
    items = include.items if isinstance(include, Sequence) else ()
    extra = {name.text for item in items if isinstance(item, MappingNode) for name, _ in item}
    names = {name.text for name, _ in matrix} - {"include", "exclude"}
    return frozenset(name.lower() for name in names | extra)


@dataclass(slots=True)
class _Finder:
    """Looks through trees; what a text refers to is found once per text."""

    subject: Subject
    jobs: frozenset[str]
    _known: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def check(self, node: Node, names: Names) -> Iterator[Diagnostic]:
        for key, scalar in _expressions_in(node):
            references = self._references(scalar, key)
            if any(name not in names.get(context, (name,)) for context, name in references):
                yield from _describe(scalar, names, key, self.jobs)

    def _references(self, node: Scalar, key: str) -> tuple[tuple[str, str], ...]:
        found = self._known.get(node.text)
        if found is None:
            expressions = self._expressions(node, key)
            found = tuple(
                (context, name) for expression in expressions for context, name, _ in _references(expression)
            )
            self._known[node.text] = found
        return found

    def _expressions(self, node: Scalar, key: str) -> tuple[Expression, ...]:
        checks = self.subject.expressions
        condition = checks.conditions.get(node.text) if key == "if" else None
        if condition is not None:
            return (condition.expression,) if condition.expression else ()
        template = checks.templates.get(node.text)
        return template.expressions if template else ()


def _expressions_in(node: Node) -> Iterator[tuple[str, Scalar]]:
    """Yield the texts with expressions below a node, in no particular order, with the key they belong to."""
    waiting: list[tuple[str, Node]] = [("", node)]
    while waiting:
        key, current = waiting.pop()
        if isinstance(current, MappingNode):
            waiting.extend([(name.text, value) for name, value in current.entries])
        elif isinstance(current, Sequence):
            waiting.extend([("", item) for item in current.items])
        elif isinstance(current.value, str) and (key == "if" or "${{" in current.text):
            yield key, current


def _references(expression: Expression) -> Iterator[tuple[str, str, Index]]:
    for node in walk(expression.root):
        match node:
            case Index(operand=Context(name=context), key=Literal(value=str() as name)):
                yield context.lower(), name.lower(), node
            case _:
                pass


def _describe(node: Scalar, names: Names, key: str, jobs: frozenset[str]) -> Iterator[Diagnostic]:
    for expression in _located(node, key):
        for context, name, index in _references(expression):
            known = names.get(context)
            if known is None or name in known:
                continue
            shown = expression.text[index.start : index.end][:100]
            span = Span(expression.locate(index.start), expression.locate(index.end))
            hint = did_you_mean(name, sorted(known)[:_SUGGESTED])
            if context == "needs" and name in jobs:
                hint = f"add `{name}` to the `needs` of this job"
            yield warning("unknown-reference", f"`{shown}` is always null: {_MISSING[context]}", span, hint)


def _located(node: Scalar, key: str) -> tuple[Expression, ...]:
    if key == "if":
        expression = parse_node_condition(node, None)[0].expression
        return (expression,) if expression else ()
    return parse_template(node.text, locate=node.locate)[0].expressions
