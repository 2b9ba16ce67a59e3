"""How to mend what does not fit the grammar, guessed from what people usually mean."""

from __future__ import annotations

from collections.abc import Collection

from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.workflow.duration import parse_duration
from pawl.core.workflow.fields import plain_text
from pawl.core.workflow.grammar.shapes import BooleanShape, NumberShape, StringShape
from pawl.core.workflow.nodes import Mapping, Node, Scalar, Sequence
from pawl.core.workflow.places import Place

# Words of other CI systems, of YAML 1.1 readers and of older designs -> the key that says the same here.
_MEANT: dict[str, tuple[str, ...]] = {
    "true": ("on",),
    "trigger": ("on",),
    "triggers": ("on",),
    "image": ("container", "runs-on"),
    "pool": ("runs-on",),
    "os": ("runs-on",),
    "script": ("run", "steps"),
    "cmd": ("run",),
    "bash": ("run",),
    "commands": ("run", "steps"),
    "action": ("uses",),
    "variables": ("env",),
    "depends_on": ("needs",),
    "dependson": ("needs",),
    "dependencies": ("needs",),
    "requires": ("needs",),
    "when": ("if",),
    "condition": ("if",),
    "displayname": ("name",),
    "inputs": ("with",),
    "args": ("with",),
    "parameters": ("with",),
    "branch": ("branches",),
    "tag": ("tags",),
    "path": ("paths",),
}
_YES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_JOB_KEYS = frozenset({"runs-on", "steps"})


def meant_key(name: str, candidates: Collection[str]) -> str | None:
    """Return the allowed key that a word of another system stands for."""
    return next((key for key in _MEANT.get(name.lower(), ()) if key in candidates), None)


def about_key(name: str, value: Node, candidates: Collection[str], beside: str | None) -> str | None:
    """Return a hint about an unknown key; None without one.

    Args:
        name: the key.
        value: what stands behind it.
        candidates: the keys that are allowed.
        beside: the key that rules this one out, where it is known elsewhere.
    """
    if beside is not None:
        return f"`{name[:40]}` cannot stand beside `{beside[:40]}`"
    if "jobs" in candidates and isinstance(value, Mapping) and _JOB_KEYS & value.by_name().keys():
        return "a job stands below `jobs`, indented deeper"
    meant = meant_key(name, candidates)
    if meant is not None:
        return f"did you mean `{meant}`?"
    near = did_you_mean(name, candidates)
    if near is None and "with" in candidates:
        return "what an action is given stands below `with`"
    return near


def about_value(node: Node, place: Place, key: str) -> str | None:
    """Return a hint about a value of the wrong kind at `place`, which is the value of `key`; None without."""
    kinds = {type(shape) for shape in place.scalars}
    if isinstance(node, Sequence):
        if place.mappings:
            return "write `key: value` lines, without `- `"
        is_text = place.takes_any_text and all(isinstance(item, Scalar) for item in node.items)
        return f"several lines are one text: `{key}: |`, and the lines below, indented" if is_text else None
    if isinstance(node, Mapping):
        return "each item begins with `- `" if place.item else None
    if node.value is None:
        return f"what belongs to `{key}` stands below it, indented deeper" if key and not kinds else None
    if BooleanShape in kinds and node.text.lower() in _YES:
        return f"did you mean `{_YES[node.text.lower()]}`?"
    if NumberShape in kinds:
        return _number(node, key)
    if place.mappings and not kinds and "=" in node.text:
        name, _, value = node.text.partition("=")
        return f"write a line below `{key}`, indented deeper: `{name[:40]}: {value[:40]}`"
    if StringShape not in kinds and place.item and place.inner(place.item).scalars:
        return f"write `[{plain_text(node.value)[:40]}]`"
    return None


def _number(node: Scalar, key: str) -> str | None:
    if node.style in {"single", "double"} and node.text.isdigit():
        return f"write `{node.text[:40]}`, without quotes"
    seconds = parse_duration(node.text)
    if seconds is not None and key.endswith("-minutes"):
        return f"it counts minutes: `{plain_text(round(seconds / 60, 2))}`"
    return None
