"""Steps: from the tree to typed values."""

from __future__ import annotations

from dataclasses import dataclass

from pawl.core.diagnostics import Diagnostic, Span
from pawl.core.model.ids import StepId
from pawl.core.workflow.duration import parse_duration
from pawl.core.workflow.expressions_in import ExpressionChecks
from pawl.core.workflow.fields import first_of, is_true, plain_text, scalar_of, text_of, texts_of
from pawl.core.workflow.nodes import Mapping, Node, Scalar, Sequence
from pawl.core.workflow.step_ids import StepIds, describe_uses
from pawl.core.workflow.syntax import (
    CancelStep,
    Condition,
    ParallelStep,
    RunStep,
    Step,
    StepCommon,
    UsesStep,
    WaitStep,
)


@dataclass(frozen=True, slots=True)
class StepBuilder:
    """Builds the steps of one job; ids of nested steps share one space."""

    ids: StepIds
    diagnostics: list[Diagnostic]
    expressions: ExpressionChecks

    def build(self, node: Node | None) -> tuple[Step, ...]:
        """Return the steps of a list; items that are no steps are left out (their fault is known by now)."""
        if not isinstance(node, Sequence):
            return ()
        self.ids.taken.update(_own_ids(node))
        built = [(item, self._step(item)) for item in node.items if isinstance(item, Mapping)]
        return tuple(step for _, step in built if step is not None)

    def _step(self, written: Mapping) -> Step | None:
        node = written.by_name()
        span = written.span
        if (run := first_of(node, "run", "command")) is not None:
            return self._run(node, run, span)
        if (uses := scalar_of(node, "uses")) is not None:
            word = describe_uses(uses.text)
            return UsesStep(common=self._common(node, word, span), uses=uses, with_=node.get("with"))
        if "wait-all" in node:
            return WaitStep(common=self._common(node, "wait-all", span))
        if (wait := node.get("wait")) is not None:
            return WaitStep(common=self._common(node, "wait", span), targets=texts_of(wait))
        if (cancel := node.get("cancel")) is not None:
            return CancelStep(common=self._common(node, "cancel", span), targets=texts_of(cancel))
        if (parallel := node.get("parallel")) is not None:
            return ParallelStep(common=self._common(node, "parallel", span), steps=self.build(parallel))
        return None

    def _run(self, node: dict[str, Node], run: Node, span: Span) -> RunStep | None:
        if not isinstance(run, Scalar):
            return None
        if not isinstance(run.value, str):
            run = as_string(run)
        return RunStep(
            common=self._common(node, "run", span),
            run=run,
            shell=scalar_of(node, "shell"),
            working_directory=scalar_of(node, "working-directory"),
        )

    def _common(self, node: dict[str, Node], word: str, span: Span) -> StepCommon:
        own = text_of(node.get("id"))
        return StepCommon(
            id=StepId(own.text if own else self.ids.make(word)),
            has_own_id=own is not None,
            span=span,
            name=scalar_of(node, "name"),
            condition=build_condition(node.get("if"), self.expressions),
            continue_on_error=node.get("continue-on-error"),
            timeout_minutes=first_of(node, "timeout-minutes") or self.timeout(node.get("timeout")),
            env=first_of(node, "env", "environment"),
            background=is_true(node.get("background")),
        )

    def timeout(self, node: Node | None) -> Node | None:
        """Return a `timeout` as a number of minutes; an expression stays what it is."""
        return build_timeout(node, self.diagnostics)


def build_condition(node: Node | None, expressions: ExpressionChecks) -> Condition | None:
    """Return the condition of an `if:`; None where there is none or it is faulty."""
    if not isinstance(node, Scalar):
        return None
    source = node if isinstance(node.value, str) else as_string(node)
    return Condition(source=source, effective=expressions.effective(source))


def build_timeout(node: Node | None, diagnostics: list[Diagnostic]) -> Node | None:
    """Return a duration in the original design's spelling as a number of minutes."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str) or "${{" in node.value:
        return node
    seconds = parse_duration(node.value)
    if seconds is None:
        message = (
            f"found `{node.text[:60]}` as a timeout, expected a number of minutes or a time like `1h30m`"
        )
        diagnostics.append(Diagnostic(code="timeout", message=message, span=node.span))
        return None
    minutes = seconds / 60
    return Scalar(value=minutes, text=plain_text(minutes), place=node.place)


def _own_ids(node: Sequence) -> set[str]:
    ids = [text_of(item.get("id")) for item in node.items if isinstance(item, Mapping)]
    return {own.text for own in ids if own is not None}


def as_string(node: Scalar) -> Scalar:
    """Return a scalar that is no string as the string that GitHub makes of it."""
    text = plain_text(node.value)
    return Scalar(value=text, text=text, place=node.place, style=node.style)
