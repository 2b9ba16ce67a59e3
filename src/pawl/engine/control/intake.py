"""From a workflow's text and an event to a plan that can be stored, or every reason why not."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pawl.core.diagnostics import Diagnostic, Severity, has_errors
from pawl.core.model.errors import TooLarge, UsageError
from pawl.core.model.plain import to_plain
from pawl.core.model.plan import Outlook, Plan
from pawl.core.planning.contexts import RunFacts
from pawl.core.planning.plan import plan_workflow
from pawl.core.workflow.parse import Parsed, parse_workflow
from pawl.engine.control.requests import Trigger

_PARSED = 64
_TOLD = 20
MAX_PAYLOAD = 25 * 1024 * 1024
"""Bytes of an event's body as JSON: what GitHub sends at most."""

MAX_TEXT = 4096
"""Characters of a name, ref, path or id in a trigger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, and the digest of what it was made of.

    Attributes:
        needs_number: whether the run's name tells its number, so that it is known only once it is stored.
    """

    plan: Plan
    digest: str
    needs_number: bool = False


class Intake:
    """Plans what is triggered; files seen before are not parsed again."""

    def __init__(self) -> None:
        self._parsed: OrderedDict[str, Parsed] = OrderedDict()
        # Planning may be moved to threads.
        self._lock = threading.Lock()

    def plan(self, wanted: Trigger, facts: RunFacts, variables: Mapping[str, str]) -> Planned:
        """Return the plan of what is wanted.

        Args:
            wanted: the trigger; its digest knows no variables but its own.
            facts: of the run, as far as they are known.
            variables: the server's, under those of the trigger.

        Raises:
            UsageError: the file has errors, the event does not start it, or its inputs do not fit.
            TooLarge: the event is over a limit.
        """
        digest = _digest(wanted)
        parsed = self.parse(wanted.path, wanted.text)
        _refuse_errors(wanted.path, parsed.diagnostics)
        if parsed.workflow is None:
            raise UsageError(f"{wanted.path} has no jobs")
        planned = plan_workflow(
            parsed.workflow,
            wanted.event,
            inputs=wanted.inputs,
            variables={**variables, **wanted.variables},
            facts=facts,
        )
        _refuse_errors(wanted.path, planned.diagnostics)
        plan = planned.plan
        if plan is None:
            raise UsageError(f"{wanted.path} cannot be planned")
        if plan.trigger.outlook is not Outlook.RUNS:
            raise UsageError(
                f"{wanted.path} does not start: {plan.trigger.reason}",
                hint="choose an event that the workflow listens to",
            )
        name = parsed.workflow.run_name
        return Planned(plan=plan, digest=digest, needs_number=name is not None and "run_" in name.text)

    def parse(self, path: str, text: str) -> Parsed:
        """Return what a workflow file means, and what is wrong with it."""
        key = hashlib.sha256(f"{path}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
        with self._lock:
            if key in self._parsed:
                self._parsed.move_to_end(key)
                return self._parsed[key]
        parsed = parse_workflow(text, path)
        with self._lock:
            self._parsed[key] = parsed
            if len(self._parsed) > _PARSED:
                self._parsed.popitem(last=False)
        return parsed


def _digest(wanted: Trigger) -> str:
    """Return a digest of a trigger: the same for the same request."""
    event = wanted.event
    texts = (wanted.path, event.name, event.ref, event.sha, event.repository, event.actor, wanted.request_id)
    if not all(text.isprintable() for text in texts):
        raise UsageError("a path, ref, commit, name or id in a trigger has characters that cannot be shown")
    longest = max(texts, key=len)
    if len(longest) > MAX_TEXT:
        raise TooLarge(f"`{longest[:40]}...` has more than {MAX_TEXT} characters")
    written = json.dumps(
        [wanted.path, wanted.text, to_plain(event), dict(wanted.inputs), dict(wanted.variables)],
        sort_keys=True,
    ).encode()
    if len(written) > MAX_PAYLOAD:
        raise TooLarge(f"the event has {len(written):,} bytes, more than {MAX_PAYLOAD:,}")
    return hashlib.sha256(written).hexdigest()


def _refuse_errors(path: str, diagnostics: Iterable[Diagnostic]) -> None:
    """Refuse a file with errors; the message lists them with their places, the hint how to mend them."""
    errors = [each for each in diagnostics if each.severity is Severity.ERROR]
    if not has_errors(errors):
        return
    lines = [f"{path}:{each.span.start}: {each.message} [{each.code}]" for each in errors[:_TOLD]]
    if len(errors) > _TOLD:
        lines.append(f"and {len(errors) - _TOLD} more")
    count = "an error" if len(errors) == 1 else f"{len(errors)} errors"
    hints = list(dict.fromkeys(each.hint for each in errors[:_TOLD] if each.hint))
    hint = "; ".join(hints) or "`pawl validate` shows them with their lines"
    raise UsageError("\n".join([f"{path} has {count}", *lines]), hint=hint)
