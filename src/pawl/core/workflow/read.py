"""The structural check: a tree against the grammar, all faults at once, expressions included.

The order of decisions is the official reader's (actions/languageservices, template-reader.ts): which shape of
several a mapping has is decided by its keys one after the other; a scalar may always be read as a string.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pawl.core.diagnostics import Diagnostic, Severity, Span
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.expressions import Template, to_text
from pawl.core.workflow.advice import about_key, about_value
from pawl.core.workflow.expressions_in import ExpressionChecks, insert_fault, is_insert
from pawl.core.workflow.grammar.shapes import (
    BooleanShape,
    Key,
    MappingShape,
    NullShape,
    NumberShape,
    StringShape,
)
from pawl.core.workflow.limits import Limits
from pawl.core.workflow.nodes import Mapping, Node, Scalar, Sequence
from pawl.core.workflow.places import Place, ScalarShape
from pawl.core.workflow.scalars import Plain

_SHOWN = 60
"""Characters of a wrong value that a message repeats."""

_LISTED = 20
"""Allowed words that a message lists."""


@dataclass(slots=True)
class Reader:
    """Checks one file. `expressions` keeps what it parsed on the way."""

    limits: Limits
    diagnostics: list[Diagnostic] = field(default_factory=list)
    expressions: ExpressionChecks = field(default_factory=ExpressionChecks)
    path: list[str] = field(default_factory=list)
    errors: int = 0
    has_own_keys: bool = False
    """Whether a key of Pawl's own was met: the file is none of GitHub's."""

    def read(self, node: Node, place: Place) -> None:
        """Collect the faults of `node` as a value for `place`."""
        if self.errors > self.limits.diagnostics:
            return
        if isinstance(node, Scalar):
            self._scalar(node, place)
        elif isinstance(node, Mapping):
            self._mapping(node, place)
        else:
            self._sequence(node, place)

    def _report(self, code: str, message: str, span: Span, hint: str | None = None) -> None:
        self._add((Diagnostic(code=code, message=message, span=span, hint=hint),))

    def _add(self, found: Iterable[Diagnostic]) -> None:
        for diagnostic in found:
            is_error = diagnostic.severity is Severity.ERROR
            self.errors += is_error
            if is_error or len(self.diagnostics) <= 2 * self.limits.diagnostics:
                self.diagnostics.append(diagnostic)

    @property
    def _where(self) -> str:
        """The path of keys to the current value, for messages."""
        return f"`{'.'.join(self.path)}`".replace(".[", "[") if self.path else "the file"

    def _sequence(self, node: Sequence, place: Place) -> None:
        if place.item is None:
            self._wrong(node, place, "a list")
            return
        item = place.inner(place.item)
        for index, value in enumerate(node.items):
            self.path.append(f"[{index}]")
            self.read(value, item)
            self.path.pop()

    def _scalar(self, node: Scalar, place: Place) -> None:
        value = node.value
        if isinstance(value, str):
            if place.is_condition:
                self._add(self.expressions.condition(node, place.scope))
                return
            if "${{" in value:
                template = self._template(node, place)
                if template is None:
                    return
                literal = self.expressions.literal(template)
                if literal is None:
                    self._check_place(node, place, template)
                    return
                value = literal
            if value and place.takes_any_text:
                return
        if not _fits(value, place.scalars):
            self._wrong(
                node, place, f"`{_shown(to_text(_number(value)))}`" if value is not None else "nothing"
            )

    def _check_place(self, node: Scalar, place: Place, template: Template) -> None:
        if is_insert(template):
            self._add((insert_fault(node.span),))
        elif place.scope is None:
            message = (
                f"found an expression in {self._where}, expected a fixed value: nothing is known here yet"
            )
            self._report("expression-not-allowed", message, node.span)

    def _template(self, node: Scalar, place: Place) -> Template | None:
        """Return the scalar's template, or None when it has faults (which are then reported)."""
        template, found = self.expressions.template(node, place.scope)
        self._add(found)
        return None if any(fault.severity is Severity.ERROR for fault in found) else template

    def _mapping(self, node: Mapping, place: Place) -> None:
        shapes = _candidates(node, place.mappings)
        if not shapes:
            self._wrong(node, place, "a mapping")
            return
        others = next((shape for shape in shapes[:1] if shape.other_key), None)
        seen: dict[str, str] = {}
        misspelt: set[str] = set()
        has_expression_key = False
        for name, value in node.entries:
            if "${{" in name.text:
                has_expression_key = True
                self._expression_key(name, value, place, others)
                continue
            known = _known(shapes, name.text)
            if known is not None:
                shapes = [shape for shape in shapes if name.text in shape.keys]
                self._note_seen(name, known, seen)
                self._inside(name.text, value, place.inner(known.type))
            elif others is not None:
                self._key(name, place.inner(others.other_key or "any"))
                self._inside(name.text, value, place.inner(others.other_value))
            else:
                misspelt |= self._unknown_key(name, value, shapes, node, place)
        if len(shapes) > 1:
            self._check_decided(node, shapes, misspelt)
        elif not has_expression_key:
            self._check_required(node, shapes[0], {*seen, *misspelt})

    def _inside(self, key: str, value: Node, place: Place) -> None:
        self.path.append(key[:_SHOWN])
        self.read(value, place)
        self.path.pop()

    def _key(self, name: Scalar, place: Place) -> None:
        if not name.text and not _fits("", place.scalars):
            self._report("unknown-key", f"found an empty key in {self._where}, expected a name", name.span)

    def _expression_key(self, name: Scalar, value: Node, place: Place, others: MappingShape | None) -> None:
        if place.scope is None:
            message = f"found an expression as a key in {self._where}, expected a name"
            self._report("expression-not-allowed", message, name.span)
            return
        self._template(name, place)
        inner = others.other_value if others and not others.keys else "any"
        self._inside(name.text, value, place.inner(inner))

    def _note_seen(self, name: Scalar, known: Key, seen: dict[str, str]) -> None:
        self.has_own_keys = self.has_own_keys or known.own
        meant = known.stands_for or name.text
        if (other := seen.get(meant)) is not None:
            message = f"{self._where} has both `{other}` and `{name.text}`, which mean the same"
            self._report("duplicate-key", message, name.span, f"keep `{meant}`")
        seen[meant] = name.text

    def _unknown_key(
        self, name: Scalar, value: Node, shapes: list[MappingShape], node: Mapping, place: Place
    ) -> set[str]:
        """Report a key; return what it was meant to be where saying that this is missing adds nothing."""
        if self.errors > self.limits.diagnostics:
            return set()
        candidates = sorted({known for shape in shapes for known in shape.keys})
        hint = about_key(name.text, value, candidates, _rival(name.text, shapes, node, place))
        if hint is None and candidates:
            hint = f"known here: {_listed(candidates)}"
        self._report("unknown-key", f"unknown key `{_shown(name.text)}` in {self._where}", name.span, hint)
        # On another line the official parser's second finding has a place of its own, so it is kept.
        same_line = name.span.start.line == node.span.start.line
        return {known for known in candidates if same_line and hint == f"did you mean `{known}`?"}

    def _check_required(self, node: Mapping, shape: MappingShape, given: set[str]) -> None:
        for name, known in shape.keys.items():
            if known.required and name not in given and not (known.implied and self.has_own_keys):
                span = Span(node.span.start, node.span.start)
                self._report("missing-key", f"missing key `{name}` in {self._where}", span, known.about)

    def _check_decided(self, node: Mapping, shapes: list[MappingShape], misspelt: set[str]) -> None:
        deciding = [name for shape in shapes for name, known in shape.keys.items() if known.required]
        if misspelt.intersection(deciding):
            return
        message = f"{self._where} says too little, expected one of the keys {_listed(deciding)}"
        self._report("missing-key", message, Span(node.span.start, node.span.start))

    def _wrong(self, node: Node, place: Place, found: str) -> None:
        span = node.span if isinstance(node, Scalar) else Span(node.span.start, node.span.start)
        words = [word for shape in place.scalars if isinstance(shape, StringShape) for word in shape.words]
        hint = did_you_mean(node.text, words) if isinstance(node, Scalar) and words else None
        hint = hint or about_value(node, place, self.path[-1] if self.path else "")
        code = "wrong-value" if isinstance(node, Scalar) and words else "wrong-type"
        self._report(code, f"found {found} in {self._where}, expected {_expected(place)}", span, hint)


def _candidates(node: Mapping, shapes: tuple[MappingShape, ...]) -> list[MappingShape]:
    """Return the shapes to try: one of Pawl's own only for a mapping that has none of GitHub's keys."""
    own = [shape for shape in shapes if shape.own]
    if not own:
        return list(shapes)
    others = [shape for shape in shapes if not shape.own]
    is_githubs = any("${{" in name.text or _known(others, name.text) for name, _ in node.entries)
    return others if is_githubs or not node.entries else own


def _rival(name: str, shapes: list[MappingShape], node: Mapping, place: Place) -> str | None:
    """Return the key of `node` that rules `name` out, which another shape of the place has."""
    if not any(name in shape.keys for shape in place.mappings):
        return None
    without = [shape for shape in place.mappings if shape not in shapes]
    keys = (key.text for key, _ in node if all(key.text not in shape.keys for shape in without))
    return next((key for key in keys if any(key in shape.keys for shape in shapes)), None)


def _known(shapes: list[MappingShape], name: str) -> Key | None:
    found = None
    for shape in shapes:
        found = shape.keys.get(name, found)
    return found


def _fits(value: Plain, shapes: tuple[ScalarShape, ...]) -> bool:
    if any(_fits_as_is(value, shape) for shape in shapes):
        return True
    if isinstance(value, str):
        return False
    text = to_text(_number(value))
    return any(_fits_as_is(text, shape) for shape in shapes)


def _fits_as_is(value: Plain, shape: ScalarShape) -> bool:
    match shape:
        case NullShape():
            return value is None
        case BooleanShape():
            return isinstance(value, bool)
        case NumberShape():
            return isinstance(value, int | float) and not isinstance(value, bool)
        case StringShape():
            if not isinstance(value, str) or (shape.words and value not in shape.words):
                return False
            return bool(value) or not shape.non_empty


def _number(value: Plain) -> bool | float | str | None:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _shown(text: str) -> str:
    first = text.split("\n", 1)[0]
    return first if len(first) <= _SHOWN and first == text else f"{first[:_SHOWN]}…"


def _listed(words: Iterable[str]) -> str:
    unique = list(dict.fromkeys(words))
    more = f" and {len(unique) - _LISTED} more" if len(unique) > _LISTED else ""
    return ", ".join(f"`{word}`" for word in unique[:_LISTED]) + more


def _expected(place: Place) -> str:
    kinds: list[str] = []
    for shape in place.scalars:
        match shape:
            case NullShape():
                kinds.append("nothing")
            case BooleanShape():
                kinds.append("`true` or `false`")
            case NumberShape():
                kinds.append("a number")
            case StringShape(words=words) if words:
                kinds.append(f"one of {_listed(words)}" if len(words) > 1 else f"`{words[0]}`")
            case StringShape(non_empty=non_empty):
                kinds.append("a text that is not empty" if non_empty else "a text")
    kinds += ["a list"] if place.item else []
    kinds += ["a mapping"] if place.mappings else []
    return " or ".join(dict.fromkeys(kinds))
