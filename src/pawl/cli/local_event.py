"""The event of a local run: what a push, pull request or dispatch of this working tree would look like."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pawl.cli.project import read_text
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.model.errors import UsageError
from pawl.core.model.events import Event
from pawl.core.workflow.event_facts import EVENTS
from pawl.core.workflow.syntax import Workflow
from pawl.ports.source import SourceState

_PULL_REQUESTS = frozenset({"pull_request", "pull_request_target", "pull_request_review"})
_PREFERRED = ("push", "workflow_dispatch", "pull_request", "schedule")
_LOCAL_NUMBER = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EventWish:
    """What the command line says about the event; None where it says nothing.

    Attributes:
        name: the event, with an activity type after a dot: `pull_request.closed`.
        payload: the body of an `--event-file`.
        changed: paths; empty means "look at the working tree".
        base: for pull requests, the branch it wants to go into.
    """

    name: str | None = None
    payload: Mapping[str, Any] | None = None
    branch: str | None = None
    tag: str | None = None
    base: str | None = None
    changed: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)


def read_payload(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file.

    Raises:
        UsageError: it is missing, no JSON, or no object.
    """
    try:
        payload = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"`{path}` is not valid JSON: {error}") from error
    if not isinstance(payload, dict):
        raise UsageError(f"`{path}` holds no JSON object", hint="it should be the body of a webhook delivery")
    return payload


def split_name(text: str) -> tuple[str, str | None]:
    """Return the event and its activity type in `pull_request.closed`.

    Raises:
        UsageError: there is no such event or type.
    """
    name, _, action = text.partition(".")
    facts = EVENTS.get(name)
    if facts is None:
        raise UsageError(f"there is no event `{name}`", hint=did_you_mean(name, EVENTS))
    if action and not facts.free_types and action not in facts.types:
        has = f"it has {', '.join(facts.types)}" if facts.types else "it has no activity types"
        raise UsageError(
            f"`{name}` has no activity type `{action}`", hint=did_you_mean(action, facts.types) or has
        )
    return name, action or None


def choose_event(workflow: Workflow, wish: EventWish) -> str:
    """Return the event to run a workflow for: the one wished, else the most ordinary one it starts at."""
    if wish.name is not None:
        return wish.name
    listened = [trigger.event.text for trigger in workflow.triggers]
    if wish.inputs and "workflow_dispatch" in listened:
        return "workflow_dispatch"
    return next((name for name in _PREFERRED if name in listened), listened[0] if listened else "push")


def build_event(
    name: str,
    wish: EventWish,
    state: SourceState,
    changed_files: tuple[str, ...] | None,
    workflow: Workflow | None = None,
) -> Event:
    """Return the event as it would come for the working tree at `state`.

    A payload given with `--event-file` is taken as it is, and what it says about refs goes before the working
    tree. `workflow` gives the cron line of a `schedule`.

    Raises:
        UsageError: as `split_name`; or both a branch and a tag.
    """
    if wish.branch and wish.tag:
        raise UsageError("an event is about a branch or a tag, not both", hint="leave one of them out")
    name, action = split_name(name)
    payload = dict(wish.payload) if wish.payload is not None else {}
    action = action or _text(payload.get("action")) or _default_action(name)
    branch = wish.branch or state.branch or state.default_branch
    base = wish.base or _text(_dig(payload, "pull_request", "base", "ref")) or state.default_branch
    head = _text(_dig(payload, "pull_request", "head", "ref")) or branch
    is_pull_request = name in _PULL_REQUESTS
    cron = _text(payload.get("schedule")) or _first_cron(workflow) if name == "schedule" else None
    event = Event(
        name=name,
        action=action,
        ref=_ref_of(name, wish, payload, branch),
        sha=_text(_dig(payload, "pull_request", "head", "sha")) or _text(payload.get("after")) or state.sha,
        base_ref=base if is_pull_request else "",
        head_ref=head if is_pull_request else "",
        changed_files=wish.changed or changed_files,
        repository=_text(_dig(payload, "repository", "full_name")) or state.repository,
        default_branch=state.default_branch,
        actor=_text(_dig(payload, "sender", "login")) or _actor(state),
        from_fork=_from_fork(payload),
        inputs=wish.inputs,
        schedule=cron,
        payload=payload,
    )
    return event if wish.payload is not None else _with_payload(event, state)


def _ref_of(name: str, wish: EventWish, payload: Mapping[str, Any], branch: str) -> str:
    if name in {"pull_request", "pull_request_review"}:
        number = payload.get("number")
        return f"refs/pull/{number if isinstance(number, int) else _LOCAL_NUMBER}/merge"
    if wish.tag:
        return f"refs/tags/{wish.tag}"
    if wish.branch is None and isinstance(payload.get("ref"), str):
        ref: str = payload["ref"]
        return ref if ref.startswith("refs/") else f"refs/heads/{ref}"
    return f"refs/heads/{branch}"


def _with_payload(event: Event, state: SourceState) -> Event:
    """Return the event with the smallest body that expressions usually look into."""
    owner, _, short = event.repository.partition("/")
    body: dict[str, object] = {
        "repository": {
            "full_name": event.repository,
            "name": short,
            "owner": {"login": owner, "name": owner},
            "default_branch": event.default_branch,
        },
        "sender": {"login": event.actor},
    }
    if event.action:
        body["action"] = event.action
    body |= _body_of(event, state)
    return dataclasses.replace(event, payload=body)


def _body_of(event: Event, state: SourceState) -> dict[str, object]:
    person = {"name": event.actor, "email": _address(state), "username": event.actor}
    commit = {"id": event.sha, "message": state.message, "author": person, "committer": person}
    match event.name:
        case "push":
            return {
                "ref": event.ref,
                "before": "0" * 40,
                "after": event.sha,
                "created": False,
                "deleted": False,
                "forced": False,
                "base_ref": None,
                "head_commit": commit,
                "commits": [commit],
                "pusher": {"name": event.actor, "email": _address(state)},
            }
        case "pull_request" | "pull_request_target" | "pull_request_review":
            repo = {"full_name": event.repository, "fork": False, "default_branch": event.default_branch}
            return {
                "number": _LOCAL_NUMBER,
                "pull_request": {
                    "number": _LOCAL_NUMBER,
                    "title": state.message.partition("\n")[0],
                    "body": state.message.partition("\n")[2].strip(),
                    "draft": False,
                    "merged": False,
                    "state": "open",
                    "labels": [],
                    "user": {"login": event.actor},
                    "head": {"ref": event.head_ref, "sha": event.sha, "repo": repo},
                    "base": {"ref": event.base_ref, "sha": event.sha, "repo": repo},
                },
            }
        case "workflow_dispatch":
            return {"ref": event.ref, "inputs": dict(event.inputs)}
        case "schedule":
            return {"schedule": event.schedule}
        case "release":
            tag = event.tag or event.ref_name
            return {
                "release": {"tag_name": tag, "name": tag, "draft": False, "prerelease": False, "body": ""}
            }
        case _:
            return {}


def _default_action(name: str) -> str | None:
    defaults = EVENTS[name].default_types
    return defaults[0] if defaults else None


def _first_cron(workflow: Workflow | None) -> str | None:
    triggers = workflow.triggers if workflow else ()
    lines = [schedule.cron.text for trigger in triggers for schedule in trigger.schedules]
    return lines[0] if lines else None


def _from_fork(payload: Mapping[str, Any]) -> bool:
    head = _dig(payload, "pull_request", "head", "repo", "full_name")
    base = _dig(payload, "pull_request", "base", "repo", "full_name")
    return isinstance(head, str) and isinstance(base, str) and head != base


def _actor(state: SourceState) -> str:
    # A forge's login has no blanks, and workflows put it into names and tags.
    return "-".join(state.author.partition("<")[0].split()) or "local"


def _address(state: SourceState) -> str:
    return state.author.partition("<")[2].rstrip("> ")


def _dig(payload: object, *keys: str) -> object:
    for key in keys:
        payload = payload.get(key) if isinstance(payload, dict) else None
    return payload


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
