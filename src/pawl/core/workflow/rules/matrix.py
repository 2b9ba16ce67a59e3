"""`strategy.matrix`, as far as it is written out (actions/runner, MatrixBuilder.cs)."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from pawl.core.diagnostics import Diagnostic, Span
from pawl.core.workflow.fields import has_expression
from pawl.core.workflow.nodes import Mapping, Node, Scalar, Sequence
from pawl.core.workflow.rules.subject import Subject, error, warning

_FILTERS = ("include", "exclude")


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield `matrix-empty`, `matrix-exclude`, `matrix-too-large` and `matrix-large`."""
    for job in subject.jobs:
        matrix = job.strategy.matrix if job.strategy else None
        if isinstance(matrix, Mapping):
            yield from _check_matrix(matrix, subject)


def _check_matrix(matrix: Mapping, subject: Subject) -> Iterator[Diagnostic]:
    vectors = {name.text: value for name, value in matrix if name.text not in _FILTERS}
    for name, value in vectors.items():
        if isinstance(value, Sequence) and not value.items:
            yield error("matrix-empty", f"the matrix has no values for `{name[:60]}`", value.span)
    if not vectors and matrix.get("include") is None:
        yield error(
            "matrix-empty", "the matrix is empty, expected lists of values or `include`", _start(matrix)
        )
    for filter_name in _FILTERS:
        for item in _items(matrix.get(filter_name)):
            if isinstance(item, Mapping) and not item.entries:
                yield error("matrix-empty", f"found an empty entry in `{filter_name}`", _start(item))
    if not has_expression(matrix):
        yield from _check_exclude(matrix, vectors)
        yield from _check_size(matrix, vectors, subject)


def _check_exclude(matrix: Mapping, vectors: dict[str, Node]) -> Iterator[Diagnostic]:
    known = {name.upper() for name in vectors}
    for item in _items(matrix.get("exclude")):
        for name, _ in item.entries if isinstance(item, Mapping) else ():
            if name.text.upper() not in known:
                message = f"`exclude` names `{name.text[:60]}`, which the matrix has no values for"
                yield warning("matrix-exclude", message, name.span)


def _check_size(matrix: Mapping, vectors: dict[str, Node], subject: Subject) -> Iterator[Diagnostic]:
    sizes = [len(value.items) if isinstance(value, Sequence) else 1 for value in vectors.values()]
    included = len(_items(matrix.get("include")))
    # Whether an included entry extends a combination or adds one is planning's business.
    jobs = prod(sizes) if sizes else included
    limits = subject.limits
    if jobs > limits.matrix and not _items(matrix.get("exclude")):
        message = f"the matrix makes {jobs} jobs, more than the {limits.matrix} allowed"
        yield error("matrix-too-large", message, _start(matrix))
    elif jobs >= limits.matrix_warning:
        message = f"the matrix makes {jobs} jobs before `exclude`; that many are slow to run and to read"
        yield warning("matrix-large", message, _start(matrix))


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, Sequence) else ()


def _start(node: Node) -> Span:
    return node.span if isinstance(node, Scalar) else Span(node.span.start, node.span.start)
