"""Which parts of an expression outsiders control, judged from the text alone (for lint rules).

The paths are those of GitHub's "Script injections" page and Security Lab ("Keeping your GitHub Actions and
workflows secure, part 2: Untrusted input"), actionlint's expr_insecure.go, and HackTricks' and KICS' lists
for `workflow_run` and for the descriptions of forks. `github.ref` and `github.ref_name` are left out: for
pull requests they name `refs/pull/N/merge`, otherwise a ref that only somebody with write access can make. At
run time taint does not depend on this list: it marks every string of an event payload.
"""

from __future__ import annotations

from dataclasses import dataclass

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
from pawl.core.expressions.text_rules import fold_case

_EVENT_PATHS = """
issue.title issue.body
pull_request.title pull_request.body pull_request.head.ref pull_request.head.label
pull_request.head.repo.default_branch pull_request.head.repo.description pull_request.head.repo.homepage
comment.body review.body review_comment.body
discussion.title discussion.body
pages.*.page_name
commits.*.message commits.*.author.email commits.*.author.name commits.*.committer.email
commits.*.committer.name
head_commit.message head_commit.author.email head_commit.author.name head_commit.committer.email
head_commit.committer.name
workflow_run.head_branch workflow_run.display_title workflow_run.head_commit.message
workflow_run.head_commit.author.email workflow_run.head_commit.author.name
workflow_run.head_repository.description workflow_run.pull_requests.*.head.ref
workflow_run.head_repository.default_branch
merge_group.head_commit.message
changes.title.from changes.body.from
"""
UNTRUSTED_PATHS: tuple[str, ...] = (
    "github.head_ref",
    *(f"github.event.{path}" for path in _EVENT_PATHS.split()),
)
"""Property paths that an outsider may fill; `*` stands for any element of an array."""

_PATTERNS = tuple(tuple(fold_case(part) for part in path.split(".")) for path in UNTRUSTED_PATHS)
_ANY_MEMBER = "*"
_UNKNOWN = "?"
_SAFE_FUNCTIONS = frozenset(
    {"CONTAINS", "STARTSWITH", "ENDSWITH", "HASHFILES", "SUCCESS", "FAILURE", "CANCELLED", "ALWAYS"}
)
_WHOLE_FUNCTIONS = frozenset({"TOJSON", "JOIN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class UntrustedPath:
    """A property that an outsider controls and whose text can reach the expression's result.

    Attributes:
        path: as in UNTRUSTED_PATHS, or the beginning of some when a whole object flows.
        text: as written.
        start, end: its offsets in the expression's text.
    """

    path: str
    text: str
    start: int
    end: int


def possibly_untrusted(expression: Expression) -> tuple[UntrustedPath, ...]:
    """Return the outsiders' properties whose text may be part of the result, in the order of the text.

    Properties that are only compared, or looked at by contains, startsWith, endsWith and the like, are safe.
    """
    found: list[UntrustedPath] = []
    _collect(expression, expression.root, whole=False, found=found)
    return tuple(found)


def _collect(expression: Expression, node: Node, *, whole: bool, found: list[UntrustedPath]) -> None:
    """Note the paths that flow out of `node`; `whole`: arrays and objects flow with all they hold."""
    match node:
        case Context() | Index():
            steps = _steps(node)
            if steps is None:
                _collect(expression, _base(node), whole=True, found=found)
            else:
                text = expression.text[node.start : node.end]
                found.extend(
                    UntrustedPath(path=path, text=text, start=node.start, end=node.end)
                    for path in _matches(steps, whole=whole)
                )
        case Call():
            for argument in _flowing(node):
                inner = whole if fold_case(node.name) == "CASE" else fold_case(node.name) in _WHOLE_FUNCTIONS
                _collect(expression, argument, whole=inner, found=found)
        case Logical():
            # The left sides of `&&` come out only when they are empty.
            operands = node.operands if node.operator == "||" else node.operands[-1:]
            for operand in operands:
                _collect(expression, operand, whole=whole, found=found)
        case Literal() | Wildcard() | Not() | Comparison():
            pass


def _flowing(node: Call) -> tuple[Node, ...]:
    """Return the arguments whose text may be part of the result of the call."""
    name = fold_case(node.name)
    if name in _SAFE_FUNCTIONS:
        return ()
    if name == "CASE":
        return (*node.arguments[1:-1:2], *node.arguments[-1:])
    return node.arguments


def _base(node: Node) -> Node:
    while isinstance(node, Index):
        node = node.operand
    return node


def _steps(node: Node) -> tuple[str, ...] | None:
    """Return the path of a chain of properties in folded case; None when it does not begin at a context."""
    steps: list[str] = []
    while isinstance(node, Index):
        match node.key:
            case Literal(value=str() as name):
                steps.append(fold_case(name))
            case Wildcard() | Literal():
                steps.append(_ANY_MEMBER)
            case _:
                steps.append(_UNKNOWN)
        node = node.operand
    if not isinstance(node, Context):
        return None
    return (fold_case(node.name), *reversed(steps))


def _matches(steps: tuple[str, ...], *, whole: bool) -> list[str]:
    """Return the untrusted paths that `steps` reads; with `whole`, itself when any is below it."""
    found = []
    for path, pattern in zip(UNTRUSTED_PATHS, _PATTERNS, strict=True):
        steps_here = _without_index_after_filter(steps, len(pattern))
        fits = len(steps_here) == len(pattern) or (whole and len(steps_here) < len(pattern))
        if fits and all(map(_same_step, steps_here, pattern)):
            found.append(".".join(path.split(".")[: len(steps_here)]))
    return list(dict.fromkeys(found))


def _without_index_after_filter(steps: tuple[str, ...], length: int) -> tuple[str, ...]:
    """Drop a last index, as in `(x.*.title)[0]`, where the path is complete without it."""
    ends = (_ANY_MEMBER, _UNKNOWN)
    return steps[:-1] if len(steps) == length + 1 and steps[-1] in ends else steps


def _same_step(step: str, part: str) -> bool:
    return step == part or step in (_ANY_MEMBER, _UNKNOWN) or part == _ANY_MEMBER
