"""Tokens of the language, and which may follow which (actions/runner Tokens/LexicalAnalyzer.cs)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class TokenKind(Enum):
    """What a token is; the value is how messages name it."""

    NOT = "`!`"
    COMPARISON = "a comparison"
    AND = "`&&`"
    OR = "`||`"
    START_GROUP = "`(`"
    END_GROUP = "`)`"
    START_INDEX = "`[`"
    END_INDEX = "`]`"
    START_CALL = "`(` of a call"
    END_CALL = "`)` of a call"
    SEPARATOR = "`,`"
    DEREFERENCE = "`.`"
    WILDCARD = "`*`"
    INDEX_WILDCARD = "`*` of an index"
    PROPERTY = "a property name"
    LITERAL = "a literal"
    FUNCTION = "a function name"
    CONTEXT = "a context name"
    END = "the end of the expression"

    # Members are single; the usual hash of an Enum is a slow one over its name.
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token.

    Attributes:
        text: as written.
        offset: of its first character, from 0.
        value: of a literal; the name for names and operators.
    """

    kind: TokenKind
    text: str
    offset: int
    value: bool | float | str | None

    @property
    def end(self) -> int:
        """The offset just after the token."""
        return self.offset + len(self.text)


_K = TokenKind
OPERAND_STARTS = frozenset({_K.NOT, _K.START_GROUP, _K.LITERAL, _K.FUNCTION, _K.CONTEXT})
_BINARY = frozenset({_K.COMPARISON, _K.AND, _K.OR})
_CLOSERS = frozenset({_K.END_GROUP, _K.END_INDEX, _K.END_CALL, _K.SEPARATOR})
_AFTER_VALUE = _BINARY | _CLOSERS | {_K.END}
_POSTFIX = frozenset({_K.DEREFERENCE, _K.START_INDEX})

FOLLOWERS: dict[TokenKind | None, frozenset[TokenKind]] = {
    None: OPERAND_STARTS | {_K.END},
    _K.NOT: OPERAND_STARTS,
    _K.COMPARISON: OPERAND_STARTS,
    _K.AND: OPERAND_STARTS,
    _K.OR: OPERAND_STARTS,
    _K.START_GROUP: OPERAND_STARTS,
    _K.SEPARATOR: OPERAND_STARTS,
    _K.START_CALL: OPERAND_STARTS | {_K.END_CALL},
    _K.START_INDEX: OPERAND_STARTS | {_K.INDEX_WILDCARD},
    _K.INDEX_WILDCARD: frozenset({_K.END_INDEX}),
    _K.DEREFERENCE: frozenset({_K.PROPERTY, _K.WILDCARD}),
    _K.FUNCTION: frozenset({_K.START_CALL}),
    _K.LITERAL: _AFTER_VALUE,
    _K.END_GROUP: _AFTER_VALUE | _POSTFIX,
    _K.END_INDEX: _AFTER_VALUE | _POSTFIX,
    _K.END_CALL: _AFTER_VALUE | _POSTFIX,
    _K.WILDCARD: _AFTER_VALUE | _POSTFIX,
    _K.PROPERTY: _AFTER_VALUE | _POSTFIX,
    _K.CONTEXT: _AFTER_VALUE | _POSTFIX,
}
"""The kinds that may stand after a kind; None is the beginning."""


def expected_after(kind: TokenKind | None) -> str:
    """Return in words what may stand after a token of this kind."""
    if kind is _K.DEREFERENCE:
        return "a property name or `*`"
    if kind is _K.INDEX_WILDCARD:
        return "`]`"
    if FOLLOWERS[kind] >= OPERAND_STARTS:
        return "a value"
    return "an operator or the end"
