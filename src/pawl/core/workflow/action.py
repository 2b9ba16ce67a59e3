"""Action files (`action.yml`): from text to the typed tree, with everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from pawl.core.diagnostics import Diagnostic, Span
from pawl.core.diagnostics.span import START
from pawl.core.expressions import ACTION_SCOPES, parse_condition
from pawl.core.workflow.action_syntax import (
    Action,
    ActionInput,
    ActionOutput,
    CompositeRuns,
    DockerRuns,
    NodeRuns,
    Runs,
)
from pawl.core.workflow.build_steps import StepBuilder, as_string
from pawl.core.workflow.compose import compose
from pawl.core.workflow.fields import is_true, mapping_of, text_of
from pawl.core.workflow.grammar.action import ACTION_GRAMMAR
from pawl.core.workflow.limits import DEFAULT_LIMITS, Limits
from pawl.core.workflow.nodes import Mapping, Node, Scalar, Sequence
from pawl.core.workflow.parse import in_order
from pawl.core.workflow.places import root_place
from pawl.core.workflow.read import Reader
from pawl.core.workflow.rules.ids import check_step_ids
from pawl.core.workflow.step_ids import StepIds
from pawl.core.workflow.syntax import Condition, Text

_ROOT = root_place("action", ACTION_GRAMMAR, ACTION_SCOPES)


@dataclass(frozen=True, slots=True)
class ParsedAction:
    """What an action file means and what is wrong with it, by place.

    Attributes:
        action: None when the file does not say what to run. An action with errors beside it may still be run:
            the runner of GitHub is more lenient than the check of published actions.
    """

    action: Action | None
    diagnostics: tuple[Diagnostic, ...] = field(default=())


def parse_action(
    text: str | bytes, path: str = "action.yml", *, limits: Limits = DEFAULT_LIMITS
) -> ParsedAction:
    """Return the action of a file and all findings about it, sorted by place. Never raises on any text."""
    composed = compose(text, limits)
    if not isinstance(composed.root, Mapping):
        message = "found no mapping, expected an action: `name`, `description` and `runs`"
        nothing = Diagnostic(code="empty-action", message=message, span=Span(START.start, START.end))
        return ParsedAction(None, in_order(list(composed.diagnostics) or [nothing], limits))
    reader = Reader(limits)
    reader.diagnostics += composed.diagnostics
    reader.read(composed.root, _ROOT)
    runs = mapping_of(composed.root, "runs")
    if runs is not None:
        reader.diagnostics += check_step_ids(runs.get("steps"), limits.steps)
    action = _build(composed.root, path, reader)
    return ParsedAction(action, in_order(reader.diagnostics, limits))


def _build(root: Mapping, path: str, reader: Reader) -> Action | None:
    node = mapping_of(root, "runs")
    runs = _runs(node, reader) if node else None
    if runs is None:
        return None
    return Action(
        path=path,
        span=root.span,
        name=_string(root, "name"),
        description=_string(root, "description"),
        inputs=tuple(_input(name, value) for name, value in _entries(root, "inputs")),
        outputs=tuple(_output(name, value) for name, value in _entries(root, "outputs")),
        runs=runs,
    )


def _runs(node: Mapping, reader: Reader) -> Runs | None:
    using = _string(node, "using").lower()
    main, image = text_of(node.get("main")), text_of(node.get("image"))
    if using == "composite":
        return CompositeRuns(
            steps=StepBuilder(StepIds(), reader.diagnostics, reader.expressions).build(node.get("steps"))
        )
    if using == "docker" and image is not None:
        return _docker(node, image)
    if using.startswith("node") and main is not None:
        return NodeRuns(
            using=using,
            main=main,
            pre=text_of(node.get("pre")),
            pre_condition=_condition(node.get("pre-if")),
            post=text_of(node.get("post")),
            post_condition=_condition(node.get("post-if")),
        )
    return None


def _docker(node: Mapping, image: Text) -> DockerRuns:
    args = node.get("args")
    return DockerRuns(
        image=image,
        entrypoint=text_of(node.get("entrypoint")),
        args=args.items if isinstance(args, Sequence) else None,
        env=node.get("env"),
        pre_entrypoint=text_of(node.get("pre-entrypoint")),
        pre_condition=_condition(node.get("pre-if")),
        post_entrypoint=text_of(node.get("post-entrypoint")),
        post_condition=_condition(node.get("post-if")),
    )


def _condition(node: Node | None) -> Condition | None:
    """Return a `pre-if` or `post-if`, which imply nothing (actions/languageservices, if-condition.ts)."""
    if not isinstance(node, Scalar):
        return None
    source = node if isinstance(node.value, str) else as_string(node)
    condition, _ = parse_condition(source.text, locate=source.locate, implicit="always()")
    return Condition(source=source, effective=condition.effective)


def _input(name: Scalar, node: Node) -> ActionInput:
    given = Text(name.text, name.span)
    if not isinstance(node, Mapping):
        return ActionInput(name=given)
    deprecation = text_of(node.get("deprecationMessage"))
    return ActionInput(
        name=given,
        required=is_true(node.get("required")),
        default=node.get("default"),
        description=_string(node, "description"),
        deprecation=str(deprecation) if deprecation else None,
    )


def _output(name: Scalar, node: Node) -> ActionOutput:
    given = Text(name.text, name.span)
    if not isinstance(node, Mapping):
        return ActionOutput(name=given)
    return ActionOutput(name=given, value=node.get("value"), description=_string(node, "description"))


def _entries(node: Mapping, name: str) -> tuple[tuple[Scalar, Node], ...]:
    value = node.get(name)
    return value.entries if isinstance(value, Mapping) else ()


def _string(node: Mapping, name: str) -> str:
    return str(text_of(node.get(name)) or "")
