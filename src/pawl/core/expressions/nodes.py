"""The tree of an expression. Depth and places are part of each node, so no walk is needed to know them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pawl.core.expressions.failure import Locate
from pawl.core.expressions.text_rules import format_number, is_keyword


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Where a node stands in the text (offsets, end not included) and how many levels it has."""

    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal(Piece):
    """A value as written; also the name after a dot."""

    value: bool | float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(Piece):
    """A name that the surroundings give a value to, such as `github`."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wildcard(Piece):
    """The `*` of `x.*` and `x[*]`; stands only as an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(Piece):
    """`operand.key`, `operand[key]` or `operand.*`."""

    operand: Node
    key: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Piece):
    """A function call; `name_end` is the offset after the name."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not(Piece):
    """`!operand`."""

    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Piece):
    """`left operator right` with one of `== != < <= > >=`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Logical(Piece):
    """Operands joined by `&&` or by `||`; a chain is one node (actions/runner flattens it too)."""

    operator: str
    operands: tuple[Node, ...]


Node = Literal | Context | Wildcard | Index | Call | Not | Comparison | Logical


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression: equal to another when the texts are.

    Attributes:
        text: as written, without blanks around.
        root: the tree.
        locate: maps an offset in `text` to its place in the file.
    """

    text: str
    root: Node = field(compare=False)
    locate: Locate = field(compare=False, repr=False)


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below `node`, in the order of the text."""
    match node:
        case Index():
            return (node.operand, node.key)
        case Call():
            return node.arguments
        case Not():
            return (node.operand,)
        case Comparison():
            return (node.left, node.right)
        case Logical():
            return node.operands
        case Literal() | Context() | Wildcard():
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield `node` and everything below it, parents first."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(children(current)))


def deepest(nodes: tuple[Node, ...]) -> int:
    """Return the levels of a node above `nodes`."""
    return 1 + max((node.depth for node in nodes), default=0)


def print_node(node: Node) -> str:
    """Return text that parses to an equal tree."""
    match node:
        case Literal():
            return quote(node.value)
        case Context():
            return node.name
        case Wildcard():
            return "*"
        case Index():
            return _print_index(node)
        case Call():
            return f"{node.name}({', '.join(map(print_node, node.arguments))})"
        case Not():
            return f"!{_grouped(node.operand, (Comparison, Logical))}"
        case Comparison():
            left = _grouped(node.left, (Comparison, Logical))
            return f"{left} {node.operator} {_grouped(node.right, (Comparison, Logical))}"
        case Logical():
            return f" {node.operator} ".join(_grouped(operand, (Logical,)) for operand in node.operands)


def quote(value: bool | float | str | None) -> str:
    """Return the literal that stands for `value`."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            return format_number(value) if value in (float("inf"), float("-inf")) else _number(value)
        case str():
            return "'" + value.replace("'", "''") + "'"


def _number(value: float) -> str:
    return "NaN" if value != value else repr(value)  # noqa: PLR0124  NaN is the only value unequal to itself


def _print_index(node: Index) -> str:
    operand = _grouped(node.operand, (Literal, Not, Comparison, Logical))
    match node.key:
        case Wildcard():
            return f"{operand}.*"
        case Literal(value=str() as name) if is_keyword(name):
            return f"{operand}.{name}"
        case key:
            return f"{operand}[{print_node(key)}]"


def _grouped(node: Node, kinds: tuple[type, ...]) -> str:
    text = print_node(node)
    return f"({text})" if isinstance(node, kinds) else text
