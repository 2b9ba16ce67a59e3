"""`on:`: from the tree to typed triggers."""

from __future__ import annotations

from pawl.core.diagnostics.span import START
from pawl.core.workflow.fields import is_true, mapping_of, text_of, texts_of
from pawl.core.workflow.nodes import Mapping, Node, Scalar, Sequence
from pawl.core.workflow.syntax import DeclaredSecret, Filters, Input, Schedule, Text, Trigger

IMPLIED_EVENTS = ("push", "pull_request", "workflow_dispatch")
"""What starts a workflow of the original design, which has no `on`: every change, and whoever asks."""


def implied_triggers() -> tuple[Trigger, ...]:
    """Return the triggers of a workflow in the original design's spelling that names none."""
    return tuple(Trigger(event=Text(name, START)) for name in IMPLIED_EVENTS)


def build_triggers(node: Node | None) -> tuple[Trigger, ...]:
    """Return one trigger for each event, in the file's order."""
    if isinstance(node, Mapping):
        return tuple(_trigger(_key(name), value) for name, value in node)
    return tuple(Trigger(event=event) for event in texts_of(node))


def _key(name: Scalar) -> Text:
    return Text(name.text, name.span)


def _trigger(event: Text, node: Node) -> Trigger:
    if isinstance(node, Sequence):
        return Trigger(event=event, schedules=_schedules(node))
    if not isinstance(node, Mapping):
        return Trigger(event=event)
    return Trigger(
        event=event,
        types=_list(node, "types"),
        filters=Filters(
            branches=_list(node, "branches"),
            branches_ignore=_list(node, "branches-ignore"),
            tags=_list(node, "tags"),
            tags_ignore=_list(node, "tags-ignore"),
            paths=_list(node, "paths"),
            paths_ignore=_list(node, "paths-ignore"),
        ),
        workflows=texts_of(node.get("workflows")),
        inputs=tuple(_input(*entry) for entry in _entries(node, "inputs")),
        secrets=tuple(_secret(*entry) for entry in _entries(node, "secrets")),
        outputs=_outputs(node),
    )


def _list(node: Mapping, name: str) -> tuple[Text, ...] | None:
    value = node.get(name)
    return None if value is None else texts_of(value)


def _entries(node: Mapping, name: str) -> tuple[tuple[Scalar, Node], ...]:
    value = node.get(name)
    return value.entries if isinstance(value, Mapping) else ()


def _schedules(node: Sequence) -> tuple[Schedule, ...]:
    items = [item for item in node.items if isinstance(item, Mapping)]
    found = [(text_of(item.get("cron")), text_of(item.get("timezone"))) for item in items]
    return tuple(Schedule(cron=cron, timezone=timezone) for cron, timezone in found if cron is not None)


def _input(name: Scalar, node: Node) -> Input:
    if not isinstance(node, Mapping):
        return Input(name=_key(name))
    return Input(
        name=_key(name),
        type=str(text_of(node.get("type")) or Text("string", START)),
        required=is_true(node.get("required")),
        default=node.get("default"),
        description=str(text_of(node.get("description")) or ""),
        options=tuple(option.text for option in texts_of(node.get("options"))),
        has_options=node.get("options") is not None,
    )


def _secret(name: Scalar, node: Node) -> DeclaredSecret:
    if not isinstance(node, Mapping):
        return DeclaredSecret(name=_key(name))
    return DeclaredSecret(
        name=_key(name),
        required=is_true(node.get("required")),
        description=str(text_of(node.get("description")) or ""),
    )


def _outputs(node: Mapping) -> dict[str, Node]:
    values = {name.text: mapping_of(value) for name, value in _entries(node, "outputs")}
    found = {name: value.get("value") for name, value in values.items() if value}
    return {name: value for name, value in found.items() if value}
