"""Settings as values: what can be set, what it takes, and reading a text or a file's value as that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["text", "integer", "number", "boolean", "texts"]
"""`number` may be a fraction; `texts` is a list, in an environment variable separated by commas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRule:
    """One thing that can be set.

    Attributes:
        name: as in the file.
        variable: the environment variable that goes before the file.
        kind: what it takes.
        summary: one sentence for the reference.
        choices: for a text, what it may be (empty: anything).
        minimum, maximum: for numbers.
    """

    name: str
    variable: str
    kind: Kind
    summary: str
    choices: tuple[str, ...] = ()
    minimum: float = 0
    maximum: float = 1e15

    def fault(self, value: Any) -> str | None:
        """Return what is wrong with a value, or None."""
        match self.kind:
            case "text":
                return self._text_fault(value)
            case "texts":
                sound = isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
                return None if sound else 'expected a list of texts: ["a", "b"]'
            case "boolean":
                return None if isinstance(value, bool) else "expected true or false"
            case "integer" | "number":
                return self._number_fault(value)

    def read(self, text: str) -> Any:
        """Return the value that a variable's text stands for; the text itself when it is none."""
        match self.kind:
            case "text":
                return text
            case "texts":
                return [part.strip() for part in text.split(",") if part.strip()]
            case "boolean":
                return {"1": True, "true": True, "0": False, "false": False}.get(text.lower(), text)
            case "integer" | "number":
                try:
                    return int(text) if self.kind == "integer" else float(text)
                except ValueError:
                    return text

    def _text_fault(self, value: Any) -> str | None:
        if not isinstance(value, str):
            return "expected a text in quotes"
        if self.choices and value not in self.choices:
            return "expected one of " + ", ".join(f"`{choice}`" for choice in self.choices)
        return None

    def _number_fault(self, value: Any) -> str | None:
        kinds = int if self.kind == "integer" else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            return "expected a whole number" if self.kind == "integer" else "expected a number"
        # Not `value < minimum`: nan is not a limit either.
        if not value >= self.minimum:
            return f"expected at least {self.minimum:g}"
        return None if value <= self.maximum else f"expected at most {self.maximum:g}"
