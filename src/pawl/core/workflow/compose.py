"""From text to a tree of nodes with exact places: YAML 1.2 core on PyYAML's event stream.

What a hostile file could abuse is bounded before it costs anything (`Limits`): size, depth, nodes after
aliases are put in, aliases. Custom tags, several documents and repeated keys are refused. PyYAML's own
composer is not used: it has no limits, keeps the last of two equal keys, and crashes on deep nesting.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from pawl.core.diagnostics import Diagnostic, Position, Span
from pawl.core.diagnostics.span import START
from pawl.core.workflow import scalars
from pawl.core.workflow.limits import DEFAULT_LIMITS, Limits
from pawl.core.workflow.nodes import Mapping, Node, Scalar, Sequence
from pawl.core.workflow.source import Source, read_source
from pawl.core.workflow.yaml_errors import explain_yaml_error

# The C reader is ten times faster; PyYAML comes without it on rare platforms.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STYLES = {None: "plain", "": "plain", "'": "single", '"': "double", "|": "literal", ">": "folded"}
_MERGE = "<<"
_KEY_HINT = "an expression begins with a dollar sign: `${{ }}`"
_Event: TypeAlias = Any
"""PyYAML's stubs know neither the C reader nor which event carries what."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A tree, where the text has one, and everything wrong on the way. Places count from 1."""

    root: Node | None
    diagnostics: tuple[Diagnostic, ...]


def compose(text: str | bytes, limits: Limits = DEFAULT_LIMITS) -> Composed:
    """Return the tree of a YAML text. Never raises on any text; the root is None when there is no tree."""
    source, fault = read_source(text, limits)
    if source is None:
        return Composed(None, (fault,) if fault else ())
    composer = _Composer(source, limits)
    try:
        root = composer.document()
    except _StopError as stop:
        return Composed(None, (*composer.diagnostics, stop.diagnostic))
    except yaml.YAMLError as error:
        return Composed(None, (*composer.diagnostics, explain_yaml_error(error, source)))
    return Composed(root, tuple(composer.diagnostics))


class _StopError(Exception):
    """The text cannot be read any further."""

    def __init__(self, code: str, message: str, span: Span, hint: str | None = None) -> None:
        self.diagnostic = Diagnostic(code=code, message=message, span=span, hint=hint)
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A marked value: how many nodes it has, and how many levels below its own (-1 for a scalar)."""

    node: Node
    nodes: int
    depth: int


@dataclass(slots=True)
class _Composer:
    source: Source
    limits: Limits
    diagnostics: list[Diagnostic] = field(default_factory=list)
    anchors: dict[str, _Anchor | None] = field(default_factory=dict)
    nodes: int = 0
    aliases: int = 0
    deepest: int = 0
    events: Any = field(init=False)

    def __post_init__(self) -> None:
        self.events = _LOADER(self.source.text)

    def document(self) -> Node | None:
        """Read the one document, or None when the text holds nothing."""
        next_event = self.events.get_event
        next_event()
        if isinstance(next_event(), yaml.StreamEndEvent):
            return None
        root = self.node(next_event(), 1)
        next_event()
        event = next_event()
        if not isinstance(event, yaml.StreamEndEvent):
            message = "found a second document (`---`), expected one document in a file"
            raise _StopError("yaml-several-documents", message, _start(event))
        return root

    def node(self, event: _Event, depth: int) -> Node:
        kind = type(event)
        if kind is yaml.AliasEvent:
            return self.alias(event, depth)
        self.count(1, event)
        anchor = event.anchor
        if anchor is None:
            return self.scalar(event) if kind is yaml.ScalarEvent else self.collection(event, depth)
        before, deepest = self.nodes - 1, self.deepest
        self.anchors[anchor] = None
        self.deepest = depth - 1
        node = self.scalar(event) if kind is yaml.ScalarEvent else self.collection(event, depth)
        self.anchors[anchor] = _Anchor(node, self.nodes - before, self.deepest - depth)
        self.deepest = max(self.deepest, deepest)
        return node

    def count(self, nodes: int, event: _Event) -> None:
        self.nodes += nodes
        if self.nodes > self.limits.nodes:
            message = f"the file has more than {self.limits.nodes} values once every alias is put in"
            raise _StopError(
                "yaml-too-large", message, _start(event), "split the workflow, or use fewer aliases"
            )

    def alias(self, event: _Event, depth: int) -> Node:
        span = _span(event)
        self.aliases += 1
        if self.aliases > self.limits.aliases:
            message = f"the file uses more than {self.limits.aliases} aliases"
            raise _StopError("yaml-too-many-aliases", message, span)
        if event.anchor not in self.anchors:
            raise _StopError(
                "yaml-unknown-alias",
                f"no anchor `&{event.anchor}` stands before this alias",
                span,
                f"a text that begins with `*` stands in quotes: `'*{event.anchor[:40]}'`",
            )
        anchor = self.anchors[event.anchor]
        if anchor is None:
            raise _StopError("yaml-recursive-alias", f"the anchor `&{event.anchor}` contains itself", span)
        self.check_depth(depth + anchor.depth, event)
        self.deepest = max(self.deepest, depth + anchor.depth)
        self.count(anchor.nodes, event)
        return anchor.node

    def check_depth(self, depth: int, event: _Event) -> None:
        if depth > self.limits.depth:
            message = f"lists and mappings are nested deeper than {self.limits.depth} levels"
            raise _StopError("yaml-too-deep", message, _start(event))

    def collection(self, event: _Event, depth: int) -> Node:
        self.check_depth(depth, event)
        self.deepest = max(self.deepest, depth)
        expected = scalars.MAPPING if isinstance(event, yaml.MappingStartEvent) else scalars.SEQUENCE
        if event.tag not in {None, "!", expected}:
            self.refuse_tag(event)
        if expected is scalars.MAPPING:
            return self.mapping(event, depth)
        return self.sequence(event, depth)

    def refuse_tag(self, event: _Event) -> None:
        message = (
            f"found the tag `{str(event.tag)[:100]}`, expected a plain value: custom tags mean nothing here"
        )
        self.report("yaml-tag", message, _start(event), _tag_hint(str(event.tag)))

    def report(
        self,
        code: str,
        message: str,
        span: Span,
        hint: str | None = None,
        related: tuple[tuple[Span, str], ...] = (),
    ) -> None:
        # One more than may be listed, so that there is something to say that there are more.
        if len(self.diagnostics) <= self.limits.diagnostics:
            self.diagnostics.append(
                Diagnostic(code=code, message=message, span=span, hint=hint, related=related)
            )

    def sequence(self, event: _Event, depth: int) -> Sequence:
        items: list[Node] = []
        next_event = self.events.get_event
        while type(following := next_event()) is not yaml.SequenceEndEvent:
            items.append(self.node(following, depth + 1))
        return Sequence(items=tuple(items), span=_collection_span(event, following, items))

    def mapping(self, event: _Event, depth: int) -> Mapping:
        entries: list[tuple[Scalar, Node]] = []
        places: dict[str, Scalar] = {}
        merged: list[tuple[int, Scalar, Node]] = []
        next_event = self.events.get_event
        while type(following := next_event()) is not yaml.MappingEndEvent:
            key = self.node(following, depth + 1)
            value = self.node(next_event(), depth + 1)
            if not isinstance(key, Scalar):
                self.report(
                    "yaml-key", "found a list or mapping as a key, expected text", key.span, _KEY_HINT
                )
            elif key.text == _MERGE and key.style == "plain" and _MERGE not in places:
                places[_MERGE] = key
                merged.append((len(entries), key, value))
            elif self.is_new(key, places):
                entries.append((key, value))
        for at, key, value in merged:
            entries[at:at] = self.merge(key, value, places)
        ends = [value for _, value in entries]
        return Mapping(entries=tuple(entries), span=_collection_span(event, following, ends))

    def is_new(self, key: Scalar, places: dict[str, Scalar]) -> bool:
        folded = key.text.upper()
        if not folded:
            return True
        first = places.setdefault(folded, key)
        if first is not key:
            message = (
                f"the key `{key.text[:60]}` is already defined on line {first.place[0]}"
                " (letter case does not matter)"
            )
            hint = "remove one of the two, or give them different names"
            self.report("duplicate-key", message, key.span, hint, ((first.span, "first defined here"),))
        return first is key

    def merge(self, key: Scalar, value: Node, places: dict[str, Scalar]) -> list[tuple[Scalar, Node]]:
        """Return the entries that `<<` brings: keys of the mapping itself win, then earlier sources."""
        sources = value.items if isinstance(value, Sequence) else (value,)
        taken = set(places)
        result = []
        for source in sources:
            if not isinstance(source, Mapping):
                message = (
                    "found no mapping behind the merge key `<<`, expected an alias of one or a list of them"
                )
                self.report("yaml-merge", message, key.span)
                continue
            for name, node in source:
                if (folded := name.text.upper()) not in taken:
                    taken.add(folded)
                    result.append((name, node))
        self.count_merged(len(result), key)
        return result

    def count_merged(self, entries: int, key: Scalar) -> None:
        # The values were counted when the alias was put in; what is new are the entries of this mapping.
        self.nodes += entries
        if self.nodes > self.limits.nodes:
            message = f"the file has more than {self.limits.nodes} values once every alias is put in"
            raise _StopError("yaml-too-large", message, key.span)

    def scalar(self, event: _Event) -> Scalar:
        text, tag, style = event.value, event.tag, _STYLES[event.style]
        if self.source.replaced:
            text = self.source.restored(text)
        begin, end = event.start_mark, event.end_mark
        place = (begin.line + 1, begin.column + 1, end.line + 1, end.column + 1)
        if tag is None:
            value = scalars.resolve(text) if style == "plain" else text
        else:
            value = self.tagged(event, text, tag)
        if begin.line == end.line:
            return Scalar(value=value, text=text, place=place, style=style)
        if style == "literal":
            first = self.source.first_content(place[0])
            return Scalar(value=value, text=text, place=place, style=style, content_start=first)
        lines = self.source.content_lines(text, _span(event), style) if "${{" in text else ()
        return Scalar(value=value, text=text, place=place, style=style, content_lines=lines)

    def tagged(self, event: _Event, text: str, tag: str) -> scalars.Plain:
        quoted = event.style not in {None, ""}
        try:
            return scalars.resolve_tagged(text, tag, quoted=quoted)
        except KeyError:
            self.refuse_tag(event)
        except ValueError:
            kind = tag.rpartition(":")[2]
            self.report(
                "yaml-tag",
                f"found `{text[:100]}` under the tag `!!{kind}`, which it does not fit",
                _span(event),
            )
        return text


def _tag_hint(tag: str) -> str:
    if tag.startswith("!") and not tag.startswith("!!"):
        return f"a text that begins with `!` stands in quotes: `'{tag[:40]}'`"
    return "remove the tag"


def _start(event: _Event) -> Span:
    mark = event.start_mark
    return Span.at(mark.line + 1, mark.column + 1) if mark else START


def _span(event: _Event) -> Span:
    start, end = event.start_mark, event.end_mark
    return Span(Position(start.line + 1, start.column + 1), Position(end.line + 1, end.column + 1))


def _collection_span(first: _Event, last: _Event, children: list[Node]) -> Span:
    # The end of a block collection is only seen at the next token; its last child ends where people look.
    begin = Position(first.start_mark.line + 1, first.start_mark.column + 1)
    is_flow = last.start_mark.index != last.end_mark.index
    end = Position(last.end_mark.line + 1, last.end_mark.column + 1)
    if not is_flow and children:
        end = children[-1].span.end
    return Span(begin, max(begin, end))
