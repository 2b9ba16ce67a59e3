"""Dispatch inputs: from the texts somebody typed to typed, checked values.

Source: GitHub documentation, workflow syntax, `on.workflow_dispatch.inputs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.expressions.text_rules import fold_case, parse_number
from pawl.core.model.plan import Json
from pawl.core.workflow.fields import plain_text
from pawl.core.workflow.nodes import to_json
from pawl.core.workflow.syntax import Input

MAX_CHARACTERS = 65_535
"""All values together (GitHub documentation: the maximum payload of inputs)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedInputs:
    """The `inputs` context, and what is wrong with what was given: message and hint, in the file's order."""

    values: dict[str, Json]
    problems: tuple[tuple[str, str | None], ...] = ()


def type_inputs(declared: Sequence[Input], given: Mapping[str, str]) -> TypedInputs:
    """Return every declared input with its value, and all that is wrong at once.

    Values are given by name, ignoring letter case. What is not given has its default; without one it is
    empty: `''`, 0, false, or the first option.
    """
    problems: list[tuple[str, str | None]] = []
    by_folded = {fold_case(name): value for name, value in given.items()}
    values: dict[str, Json] = {}
    for each in declared:
        name = each.name.text
        text = by_folded.pop(fold_case(name), None)
        if text is None:
            values[name] = _default(each)
            if each.required and each.default is None and each.type != "boolean":
                problems.append((f"input `{name}` is required and was not given", _how(each)))
            continue
        try:
            values[name] = _typed(each, text)
        except ValueError as error:
            problems.append((f"input `{name}` {error}", _how(each)))
    names = [each.name.text for each in declared]
    for name in given:
        if fold_case(name) in by_folded:
            known = ", ".join(f"`{each}`" for each in names) or "none at all"
            message = f"there is no input `{name}`; the workflow declares {known}"
            problems.append((message, did_you_mean(name, names)))
    if sum(len(value) for value in given.values()) > MAX_CHARACTERS:
        problems.append((f"the inputs have more than {MAX_CHARACTERS:,} characters together", None))
    return TypedInputs(values=values, problems=tuple(problems))


def _how(each: Input) -> str:
    example = {"boolean": "true", "number": "1"}.get(each.type) or next(iter(each.options), "VALUE")
    return f"give it as `{each.name.text}={example}`"


def _default(each: Input) -> Json:
    default = to_json(each.default)
    if isinstance(default, bool | int | float) and each.type not in {"boolean", "number"}:
        default = plain_text(default)
    if isinstance(default, str) and "${{" not in default:
        try:
            return _typed(each, default)
        except ValueError:
            # The check of the file warns of it (`input-default`); GitHub starts the run with it all the same.
            return default
    if default is not None:
        return default
    empty: dict[str, Json] = {"boolean": False, "number": 0}
    return each.options[0] if each.type == "choice" and each.options else empty.get(each.type, "")


def _typed(each: Input, text: str) -> Json:
    """Return the value a text stands for; raise ValueError with what was expected."""
    match each.type:
        case "boolean":
            if text.strip().lower() not in {"true", "false"}:
                raise ValueError(f"must be true or false, found `{text[:80]}`")
            return text.strip().lower() == "true"
        case "number":
            number = parse_number(text) if text.strip() else float("nan")
            if number != number or number in {float("inf"), float("-inf")}:  # noqa: PLR0124 - the test for NaN
                raise ValueError(f"must be a number, found `{text[:80]}`")
            return int(number) if number.is_integer() and abs(number) < 2**53 else number
        case "choice" if text not in each.options:
            options = ", ".join(f"`{option}`" for option in each.options)
            raise ValueError(f"must be one of {options}; found `{text[:80]}`")
        case _:
            return text
