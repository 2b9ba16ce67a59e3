"""A made-up event that starts a workflow: for planning when nothing happened really."""

from __future__ import annotations

import re

from pawl.core.model.events import Event
from pawl.core.triggers.match import match_trigger
from pawl.core.workflow.event_facts import EVENTS
from pawl.core.workflow.patterns import Pattern, is_included
from pawl.core.workflow.syntax import Input, Text, Trigger, Workflow

_PREFERRED = ("push", "pull_request", "workflow_dispatch")
_SET = re.compile(r"\[([^\]])[^\]]*\]")
_PULL_REQUEST = ("pull_request", "pull_request_target")


def stub_event(workflow: Workflow, name: str | None = None) -> Event:
    """Return an event that starts the workflow, as far as one can be made up.

    Args:
        workflow: whose triggers and filters count.
        name: the event; by default the first of push, pull_request, workflow_dispatch and whatever else that
            the workflow listens to.
    """
    by_name = {trigger.event.text: trigger for trigger in workflow.triggers}
    if name is None:
        name = next((each for each in (*_PREFERRED, *by_name) if each in by_name), "push")
    trigger = by_name.get(name)
    if trigger is None:
        return Event(name=name, action=_first_type(name, None))
    plain = _made_up(trigger, ref="refs/heads/main", base="main")
    if match_trigger(workflow.triggers, plain).started:
        return plain
    filters = trigger.filters
    if name == "push" and filters.branches is None and filters.branches_ignore is None and filters.tags:
        return _made_up(trigger, ref=f"refs/tags/{_sample(filters.tags)}", base="")
    branch = _sample(filters.branches) if filters.branches else "topic"
    return _made_up(trigger, ref=f"refs/heads/{branch}", base=branch)


def _made_up(trigger: Trigger, *, ref: str, base: str) -> Event:
    name = trigger.event.text
    is_pull_request = name in _PULL_REQUEST
    payload: dict[str, object] = {}
    if name == "workflow_run" and trigger.workflows:
        payload["workflow_run"] = {"name": trigger.workflows[0].text, "head_branch": base}
    filters = trigger.filters
    file = _sample(filters.paths) if filters.paths else "made-up.txt"
    return Event(
        name=name,
        action=_first_type(name, trigger),
        ref="refs/pull/1/merge" if name == "pull_request" else ref,
        base_ref=base if is_pull_request else "",
        head_ref="topic" if is_pull_request else "",
        changed_files=(file,) if filters.paths or filters.paths_ignore else None,
        schedule=trigger.schedules[0].cron.text if trigger.schedules else None,
        payload=payload,
        inputs={
            each.name.text: _input(each) for each in trigger.inputs if each.required and not each.default
        },
    )


def _input(declared: Input) -> str:
    made_up = {"boolean": "false", "number": "1"}.get(declared.type, "made-up")
    return next(iter(declared.options), made_up)


def _first_type(name: str, trigger: Trigger | None) -> str | None:
    if trigger is not None and trigger.types:
        return trigger.types[0].text
    facts = EVENTS.get(name)
    return next(iter(facts.default_types), None) if facts else None


def _sample(texts: tuple[Text, ...]) -> str:
    """Return a name that the patterns take in, as far as simple replacements find one."""
    patterns = [Pattern(text.text) for text in texts]
    candidates = [_example(pattern.text) for pattern in patterns if not pattern.negative]
    return next((each for each in candidates if is_included(patterns, each)), "main")


def _example(pattern: str) -> str:
    text = _SET.sub(r"\1", pattern).replace("**/", "").replace("**", "x").replace("*", "x")
    return text.replace("\\", "").replace("+", "").replace("?", "")
