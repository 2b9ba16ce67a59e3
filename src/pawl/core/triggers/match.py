"""Whether an event starts a workflow: `on:` against the event, a verdict for every filter (M13, L10).

Source: GitHub documentation, "Workflow syntax" (`on.<event>`) and "Events that trigger workflows".
Pawl looks at every changed file; GitHub at the first 300 only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pawl.core.model.events import Event
from pawl.core.workflow.event_facts import EVENTS
from pawl.core.workflow.patterns import Pattern, deciding_pattern
from pawl.core.workflow.syntax import Filters, Text, Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterVerdict:
    """What one filter said.

    Attributes:
        filter: its key (`branches`, `types`, ...), or `on` for the event itself.
        passed: whether the event gets through.
        reason: a clause for people.
        pattern: the pattern that decided, as written; None when none did.
        value: what it was compared with: a branch, a path, an activity type.
    """

    filter: str
    passed: bool
    reason: str
    pattern: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Whether the event starts the workflow, and a verdict for every filter that was looked at."""

    started: bool
    verdicts: tuple[FilterVerdict, ...]

    @property
    def reason(self) -> str:
        """Return what decided: the first filter that said no, or all that said yes."""
        refused = [verdict.reason for verdict in self.verdicts if not verdict.passed]
        return refused[0] if refused else "; ".join(verdict.reason for verdict in self.verdicts)


def match_trigger(triggers: Sequence[Trigger], event: Event) -> Match:
    """Return whether `event` starts a workflow with these `triggers`.

    All filters of the event must pass. Paths are not looked at when tags are pushed.
    """
    trigger = next((each for each in triggers if each.event.text == event.name), None)
    if trigger is None:
        listens = ", ".join(f"`{each.event}`" for each in triggers) or "nothing"
        reason = f"the workflow does not listen to `{event.name}`, only to {listens}"
        return Match(started=False, verdicts=(FilterVerdict(filter="on", passed=False, reason=reason),))
    listening = FilterVerdict(filter="on", passed=True, reason=f"the workflow listens to `{event.name}`")
    verdicts = (listening, *_verdicts(trigger, event))
    return Match(started=all(verdict.passed for verdict in verdicts), verdicts=verdicts)


def _verdicts(trigger: Trigger, event: Event) -> Iterator[FilterVerdict]:
    yield from _types(trigger, event)
    yield from _workflows(trigger, event)
    yield from _schedule(trigger, event)
    if event.name == "push":
        yield from _pushed(trigger.filters, event)
        if event.tag is not None:
            return
    else:
        branch = target_branch(event)
        yield from _names("branches", trigger.filters.branches, branch, "branch", wanted=True)
        yield from _names("branches-ignore", trigger.filters.branches_ignore, branch, "branch", wanted=False)
    yield from _paths("paths", trigger.filters.paths, event, wanted=True)
    yield from _paths("paths-ignore", trigger.filters.paths_ignore, event, wanted=False)


def target_branch(event: Event) -> str:
    """Return the branch that branch filters look at.

    The base branch of a pull request or merge group, the branch of the run that `workflow_run` is about,
    else the branch of the event itself.
    """
    if event.base_ref:
        return event.base_ref
    for key, name in (("workflow_run", "head_branch"), ("merge_group", "base_ref")):
        about = event.payload.get(key)
        if event.name == key and isinstance(about, dict):
            return str(about.get(name) or "").removeprefix("refs/heads/")
    return event.branch or ""


def _types(trigger: Trigger, event: Event) -> Iterator[FilterVerdict]:
    facts = EVENTS.get(event.name)
    if trigger.types is not None:
        allowed = tuple(each.text for each in trigger.types)
    else:
        allowed = facts.default_types if facts else ()
    if event.action is None or not (allowed or trigger.types is not None):
        return
    passed = event.action in allowed
    names = ", ".join(f"`{name}`" for name in allowed) or "none"
    where = "" if trigger.types is not None else " by default"
    reason = f"`{event.action}` is {'one' if passed else 'none'} of the activity types{where}: {names}"
    pattern = event.action if passed and trigger.types is not None else None
    yield FilterVerdict(filter="types", passed=passed, reason=reason, pattern=pattern, value=event.action)


def _workflows(trigger: Trigger, event: Event) -> Iterator[FilterVerdict]:
    if event.name != "workflow_run" or not trigger.workflows:
        return
    about = event.payload.get("workflow_run")
    name = str(about.get("name") or "") if isinstance(about, dict) else ""
    passed = any(each.text == name for each in trigger.workflows)
    reason = f"the workflow that ran, `{name}`, is {'' if passed else 'not '}among `workflows`"
    yield FilterVerdict(filter="workflows", passed=passed, reason=reason, value=name)


def _schedule(trigger: Trigger, event: Event) -> Iterator[FilterVerdict]:
    if event.name != "schedule" or event.schedule is None:
        return
    passed = any(each.cron.text == event.schedule for each in trigger.schedules)
    reason = f"`{event.schedule}` is {'' if passed else 'not '}one of its schedules"
    yield FilterVerdict(filter="schedule", passed=passed, reason=reason, value=event.schedule)


def _pushed(filters: Filters, event: Event) -> Iterator[FilterVerdict]:
    """Yield verdicts on a pushed ref: filters of the other kind of ref alone keep it out."""
    by_branch = filters.branches is not None or filters.branches_ignore is not None
    by_tag = filters.tags is not None or filters.tags_ignore is not None
    if event.tag is not None:
        if by_branch and not by_tag:
            reason = f"tag `{event.tag}` was pushed, and only branches are listened to"
            yield FilterVerdict(filter="branches", passed=False, reason=reason, value=event.tag)
        yield from _names("tags", filters.tags, event.tag, "tag", wanted=True)
        yield from _names("tags-ignore", filters.tags_ignore, event.tag, "tag", wanted=False)
        return
    branch = event.ref_name
    if by_tag and not by_branch:
        reason = f"branch `{branch}` was pushed, and only tags are listened to"
        yield FilterVerdict(filter="tags", passed=False, reason=reason, value=branch)
    yield from _names("branches", filters.branches, branch, "branch", wanted=True)
    yield from _names("branches-ignore", filters.branches_ignore, branch, "branch", wanted=False)


def _names(
    key: str, texts: tuple[Text, ...] | None, name: str, kind: str, *, wanted: bool
) -> Iterator[FilterVerdict]:
    """Yield the verdict of a branch or tag filter, if there is one."""
    if texts is None:
        return
    decided = deciding_pattern(_compiled(texts), name)
    included = decided is not None and not decided.negative
    said = f"matches `{decided.text}`" if decided else "matches no pattern"
    yield FilterVerdict(
        filter=key,
        passed=included == wanted,
        reason=f"{kind} `{name}` {said} of `{key}`",
        pattern=decided.text if decided else None,
        value=name,
    )


def _paths(
    key: str, texts: tuple[Text, ...] | None, event: Event, *, wanted: bool
) -> Iterator[FilterVerdict]:
    """Yield the verdict of a path filter, if there is one.

    `paths`: one changed file that is taken in suffices. `paths-ignore`: one that is not taken out suffices.
    """
    if texts is None:
        return
    files = event.changed_files
    if files is None:
        reason = f"it is not known which files changed, so `{key}` lets everything through"
        yield FilterVerdict(filter=key, passed=True, reason=reason)
        return
    patterns = _compiled(texts)
    for file in files:
        decided = deciding_pattern(patterns, file)
        if (decided is not None and not decided.negative) == wanted:
            said = f"matches `{decided.text}`" if decided else "matches no pattern"
            yield FilterVerdict(
                filter=key,
                passed=True,
                reason=f"changed file `{file}` {said} of `{key}`",
                pattern=decided.text if decided else None,
                value=file,
            )
            return
    yield FilterVerdict(filter=key, passed=False, reason=_no_file(key, len(files), wanted=wanted))


def _no_file(key: str, count: int, *, wanted: bool) -> str:
    if not count:
        return f"no file changed, so `{key}` keeps it from starting"
    files = "the one changed file" if count == 1 else f"the {count} changed files"
    return f"none of {files} matches `{key}`" if wanted else f"`{key}` ignores {files}"


def _compiled(texts: tuple[Text, ...]) -> tuple[Pattern, ...]:
    return _patterns(tuple(text.text for text in texts))


@lru_cache(maxsize=256)
def _patterns(texts: tuple[str, ...]) -> tuple[Pattern, ...]:
    return tuple(Pattern(text) for text in texts)
