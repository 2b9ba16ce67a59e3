"""Text to tokens (actions/runner Tokens/LexicalAnalyzer.cs, rule by rule)."""

from __future__ import annotations

import math
import re

from pawl.core.expressions.failure import syntax_fault
from pawl.core.expressions.text_rules import BLANKS, is_keyword, parse_number
from pawl.core.expressions.tokens import FOLLOWERS, Token, TokenKind, expected_after

_BOUNDARIES = "()[],!><=&|" + BLANKS
_BLANK_RUN = re.compile(f"[{re.escape(BLANKS)}]*")
_WORD = re.compile(f"[^.{re.escape(_BOUNDARIES)}]*")
_DOTTED_WORD = re.compile(f"[^{re.escape(_BOUNDARIES)}]*")
_OPERATORS = {
    "!": TokenKind.NOT,
    "!=": TokenKind.COMPARISON,
    "==": TokenKind.COMPARISON,
    "<": TokenKind.COMPARISON,
    "<=": TokenKind.COMPARISON,
    ">": TokenKind.COMPARISON,
    ">=": TokenKind.COMPARISON,
    "&&": TokenKind.AND,
    "||": TokenKind.OR,
}
_WORDS: dict[str, bool | float | None] = {
    "null": None,
    "true": True,
    "false": False,
    "NaN": math.nan,
    "Infinity": math.inf,
}
_OPENERS = {
    TokenKind.END_GROUP: TokenKind.START_GROUP,
    TokenKind.END_CALL: TokenKind.START_CALL,
    TokenKind.END_INDEX: TokenKind.START_INDEX,
}
_NUMBER_STARTS = frozenset("+-0123456789")
_SHOWN = 40


def shorten(text: str) -> str:
    """Return `text` as it may stand in a message: at most 40 characters of it."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


class Lexer:
    """Reads one expression; `tokens` gives all of them or raises ExpressionError."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._offset = 0
        self._last: TokenKind | None = None
        self._last_text = ""
        self._unclosed: list[Token] = []

    def tokens(self) -> list[Token]:
        """Return the tokens in order, the last being the end; neighbours are legal and brackets match."""
        found: list[Token] = []
        while True:
            token = self._next()
            self._check_place(token)
            self._track(token)
            found.append(token)
            self._last = token.kind
            self._last_text = token.text
            if token.kind is TokenKind.END:
                return found

    def _next(self) -> Token:
        text = self._text
        self._skip_blanks()
        if self._offset >= len(text):
            return Token(kind=TokenKind.END, text="", offset=len(text), value=None)
        character = text[self._offset]
        if character in "()[],*":
            return self._punctuation(character)
        if character == "'":
            return self._string()
        if character in "!><=&|":
            return self._operator()
        if character == ".":
            if TokenKind.LITERAL in FOLLOWERS[self._last]:
                return self._number()
            return self._take(TokenKind.DEREFERENCE, 1)
        return self._number() if character in _NUMBER_STARTS else self._word()

    def _skip_blanks(self) -> None:
        self._offset = _end(_BLANK_RUN, self._text, self._offset)

    def _take(self, kind: TokenKind, length: int, value: bool | float | str | None = None) -> Token:
        token = Token(
            kind=kind, text=self._text[self._offset : self._offset + length], offset=self._offset, value=value
        )
        self._offset += length
        return token

    def _punctuation(self, character: str) -> Token:
        opened = self._unclosed[-1].kind if self._unclosed else None
        match character:
            case "(":
                kind = TokenKind.START_CALL if self._last is TokenKind.FUNCTION else TokenKind.START_GROUP
            case ")":
                kind = TokenKind.END_CALL if opened is TokenKind.START_CALL else TokenKind.END_GROUP
            case "[":
                kind = TokenKind.START_INDEX
            case "]":
                kind = TokenKind.END_INDEX
            case ",":
                kind = TokenKind.SEPARATOR
            case _:
                kind = TokenKind.INDEX_WILDCARD if self._last is TokenKind.START_INDEX else TokenKind.WILDCARD
        return self._take(kind, 1)

    def _operator(self) -> Token:
        for length in (2, 1):
            text = self._text[self._offset : self._offset + length]
            if text in _OPERATORS:
                return self._take(_OPERATORS[text], length, text)
        raise self._unexpected(
            _end(_WORD, self._text, self._offset + 1), _operator_hint(self._text[self._offset])
        )

    def _number(self) -> Token:
        end = _end(_DOTTED_WORD, self._text, self._offset + 1)
        value = parse_number(self._text[self._offset : end])
        if math.isnan(value):
            raise self._unexpected(end, "the language has no arithmetic" if end - self._offset == 1 else None)
        return self._take(TokenKind.LITERAL, end - self._offset, value)

    def _word(self) -> Token:
        start = self._offset
        end = _end(_WORD, self._text, start + 1)
        word = self._text[start:end]
        if not is_keyword(word):
            raise self._unexpected(end, "strings stand in single quotes" if '"' in word else None)
        if self._last is TokenKind.DEREFERENCE:
            return self._take(TokenKind.PROPERTY, end - start, word)
        if word in _WORDS:
            return self._take(TokenKind.LITERAL, end - start, _WORDS[word])
        token = self._take(TokenKind.CONTEXT, end - start, word)
        self._skip_blanks()
        if self._text[self._offset : self._offset + 1] == "(":
            return Token(kind=TokenKind.FUNCTION, text=word, offset=start, value=word)
        return token

    def _string(self) -> Token:
        text = self._text
        end = self._offset + 1
        while True:
            end = text.find("'", end)
            if end < 0:
                raise syntax_fault(
                    "the string is not closed: expected `'`", self._offset, len(text) - self._offset
                )
            if text[end + 1 : end + 2] != "'":
                break
            end += 2
        value = text[self._offset + 1 : end].replace("''", "'")
        return self._take(TokenKind.LITERAL, end + 1 - self._offset, value)

    def _check_place(self, token: Token) -> None:
        if token.kind in FOLLOWERS[self._last]:
            return
        expected = expected_after(self._last)
        if token.kind is TokenKind.END:
            raise syntax_fault(f"the expression ends where {expected} was expected", token.offset, 0)
        raise syntax_fault(
            f"unexpected `{shorten(token.text)}`: expected {expected}",
            token.offset,
            len(token.text),
            hint=_word_hint(self._last_text, token.text),
        )

    def _track(self, token: Token) -> None:
        kind = token.kind
        opened = self._unclosed[-1] if self._unclosed else None
        if kind in _OPENERS.values():
            self._unclosed.append(token)
        elif kind in _OPENERS:
            if opened is None or opened.kind is not _OPENERS[kind]:
                raise syntax_fault(
                    f"unexpected `{token.text}`: nothing is open that it would close", token.offset
                )
            self._unclosed.pop()
        elif kind is TokenKind.SEPARATOR and (opened is None or opened.kind is not TokenKind.START_CALL):
            raise syntax_fault(
                "unexpected `,`: only the arguments of a call are separated by it", token.offset
            )
        elif kind is TokenKind.END and opened is not None:
            raise syntax_fault(f"`{opened.text}` is not closed", opened.offset)

    def _unexpected(self, end: int, hint: str | None) -> Exception:
        word = self._text[self._offset : end]
        message = f"unexpected `{shorten(word)}`: expected {expected_after(self._last)}"
        return syntax_fault(message, self._offset, end - self._offset, hint=hint)


def _end(run: re.Pattern[str], text: str, offset: int) -> int:
    """Return where the characters of `run` that begin at `offset` end. The patterns match anything."""
    found = run.match(text, offset)
    return found.end() if found else offset


_WRITTEN = {"and": "&&", "or": "||", "is": "==", "eq": "==", "ne": "!="}


def _word_hint(before: str, word: str) -> str | None:
    """Return how an operator that other languages spell as a word is written."""
    operator = _WRITTEN.get(word.lower())
    if operator is not None:
        return f"did you mean `{operator}`?"
    return "did you mean `!`?" if before.lower() == "not" else None


def _operator_hint(character: str) -> str | None:
    doubled = {"=": "==", "&": "&&", "|": "||"}.get(character)
    return f"did you mean `{doubled}`?" if doubled else None
