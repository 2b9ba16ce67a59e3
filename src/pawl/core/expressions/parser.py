"""Tokens to a tree: operator precedence with an explicit stack, so nesting costs no Python recursion.

Source of the precedences and of the flattening of `&&` and `||`: actions/runner Tokens/Token.cs and
ExpressionParser.cs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from pawl.core.diagnostics import Diagnostic, Position
from pawl.core.expressions.failure import ExpressionError, Locate, syntax_fault
from pawl.core.expressions.lexer import Lexer
from pawl.core.expressions.limits import DEFAULT_LIMITS, Limits
from pawl.core.expressions.locate import locate_from, shifted
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
    deepest,
)
from pawl.core.expressions.text_rules import BLANKS
from pawl.core.expressions.tokens import Token, TokenKind

_PRECEDENCE = {"!": 16, "<": 11, "<=": 11, ">": 11, ">=": 11, "==": 10, "!=": 10, "&&": 6, "||": 5}


@dataclass(frozen=True, slots=True)
class _Opened:
    """An operator or bracket on the stack; `operands` is how many operands were there before it."""

    token: Token
    operands: int
    function: Token | None = None


class _Parser:
    def __init__(self, tokens: list[Token], limits: Limits) -> None:
        self._tokens = tokens
        self._limits = limits
        self._operands: list[Node] = []
        self._operators: list[_Opened] = []

    def parse(self) -> Node:
        function: Token | None = None
        for token in self._tokens:
            match token.kind:
                case TokenKind.FUNCTION:
                    function = token
                case TokenKind.NOT | TokenKind.START_GROUP | TokenKind.START_INDEX | TokenKind.START_CALL:
                    self._operators.append(_Opened(token, len(self._operands), function))
                case TokenKind.AND | TokenKind.OR:
                    # Equals wait for each other: a chain becomes one node.
                    self._flush(_PRECEDENCE[token.text] + 1)
                    self._operators.append(_Opened(token, len(self._operands)))
                case TokenKind.COMPARISON:
                    self._flush(_PRECEDENCE[token.text])
                    self._operators.append(_Opened(token, len(self._operands)))
                case TokenKind.SEPARATOR:
                    self._flush(0)
                case TokenKind.END_GROUP | TokenKind.END_INDEX | TokenKind.END_CALL:
                    self._flush(0)
                    self._close(self._operators.pop(), token)
                case TokenKind.END:
                    self._flush(0)
                case _:
                    self._operand(token)
        return self._operands.pop() if self._operands else Literal(value=None)

    def _operand(self, token: Token) -> None:
        place = {"start": token.offset, "end": token.end}
        if token.kind is TokenKind.CONTEXT:
            self._push(Context(name=token.text, **place))
        elif token.kind is TokenKind.PROPERTY:
            self._index(Literal(value=token.text, **place), token)
        elif token.kind is TokenKind.WILDCARD:
            self._index(Wildcard(**place), token)
        elif token.kind is TokenKind.INDEX_WILDCARD:
            self._push(Wildcard(**place))
        elif token.kind is TokenKind.LITERAL:
            self._push(Literal(value=token.value, **place))

    def _push(self, node: Node) -> None:
        if node.depth > self._limits.depth:
            message = f"the expression is nested deeper than {self._limits.depth} levels"
            raise syntax_fault(message, node.start, node.end - node.start, code="expression-too-deep")
        self._operands.append(node)

    def _index(self, key: Node, last: Token) -> None:
        operand = self._operands.pop()
        depth = deepest((operand, key))
        self._push(Index(operand=operand, key=key, start=operand.start, end=last.end, depth=depth))

    def _close(self, opened: _Opened, token: Token) -> None:
        match token.kind:
            case TokenKind.END_GROUP:
                inner = self._operands.pop()
                self._operands.append(replace(inner, start=opened.token.offset, end=token.end))
            case TokenKind.END_INDEX:
                self._index(self._operands.pop(), token)
            case _:
                self._call(opened, token)

    def _call(self, opened: _Opened, token: Token) -> None:
        arguments = tuple(self._operands[opened.operands :])
        del self._operands[opened.operands :]
        name = opened.function.text if opened.function else ""
        start = opened.function.offset if opened.function else opened.token.offset
        self._push(Call(name=name, arguments=arguments, start=start, end=token.end, depth=deepest(arguments)))

    def _flush(self, precedence: int) -> None:
        """Build the nodes of the operators on top that bind at least as tightly as `precedence`."""
        while self._operators:
            token = self._operators[-1].token
            if _PRECEDENCE.get(token.text, -1) < precedence:
                return
            self._operators.pop()
            match token.kind:
                case TokenKind.NOT:
                    self._not(token)
                case TokenKind.COMPARISON:
                    self._comparison(token)
                case _:
                    self._logical(token)

    def _not(self, token: Token) -> None:
        operand = self._operands.pop()
        self._push(Not(operand=operand, start=token.offset, end=operand.end, depth=operand.depth + 1))

    def _comparison(self, token: Token) -> None:
        right = self._operands.pop()
        left = self._operands.pop()
        self._push(
            Comparison(
                operator=token.text,
                left=left,
                right=right,
                start=left.start,
                end=right.end,
                depth=deepest((left, right)),
            )
        )

    def _logical(self, token: Token) -> None:
        count = 2
        while self._operators and self._operators[-1].token.text == token.text:
            self._operators.pop()
            count += 1
        joined = self._operands[-count:]
        del self._operands[-count:]
        operands: list[Node] = []
        depth = 0
        for node in joined:
            if isinstance(node, Logical) and node.operator == token.text:
                operands.extend(node.operands)
                depth = max(depth, node.depth)
            else:
                operands.append(node)
                depth = max(depth, node.depth + 1)
        start, end = joined[0].start, joined[-1].end
        self._push(Logical(operator=token.text, operands=tuple(operands), start=start, end=end, depth=depth))


_START = Position(1, 1)
_SHORT = 500
"""Characters up to which a text's tree is remembered: files repeat `matrix.os` and `github.sha` all over."""


def _tree(text: str, limits: Limits) -> Node:
    return _Parser(Lexer(text).tokens(), limits).parse()


_remembered_tree = lru_cache(maxsize=2048)(_tree)
"""Trees know offsets in their own text only, so the places in a file do not matter."""


def parse_expression(
    text: str,
    *,
    start: Position = _START,
    locate: Locate | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[Expression | None, tuple[Diagnostic, ...]]:
    """Return the expression that `text` (without `${{ }}`) stands for, and what is wrong with it.

    Grammar only: unknown contexts and functions are found by `check_expression`. The expression is None
    exactly when there is a diagnostic. Blanks alone stand for null (actions/runner ExpressionParser.cs).

    Args:
        text: blanks around it do not matter.
        start: where `text` begins in the file.
        locate: for texts of several lines: maps an offset in `text` to its place; else counts from `start`.
        limits: length and depth are looked at.
    """
    locate = locate or locate_from(start, text)
    try:
        return parse_or_raise(text, locate=locate, limits=limits), ()
    except ExpressionError as error:
        return None, (error.diagnostic(shifted(locate, leading_blanks(text))),)


def parse_or_raise(text: str, *, locate: Locate | None = None, limits: Limits = DEFAULT_LIMITS) -> Expression:
    """Return the expression that `text` stands for.

    Raises:
        ExpressionError: it stands for none; its offset counts from the first character that is not blank.
    """
    own = shifted(locate or locate_from(_START, text), leading_blanks(text))
    stripped = text.strip(BLANKS)
    try:
        if len(stripped) > limits.length:
            message = (
                f"the expression has {len(stripped):,} characters; at most {limits.length:,} are allowed"
            )
            raise syntax_fault(message, 0, len(stripped), code="expression-too-long")
        tree = _remembered_tree if len(stripped) <= _SHORT else _tree
        return Expression(stripped, tree(stripped, limits), own)
    except ExpressionError as error:
        raise error.placed(own) from None


def leading_blanks(text: str) -> int:
    """Return how many blanks stand before the first other character."""
    return len(text) - len(text.lstrip(BLANKS))
