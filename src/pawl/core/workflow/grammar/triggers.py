"""`on:`: every event that GitHub documents, with its activity types and filters.

Source: GitHub docs, "Events that trigger workflows"; the definitions of actions/languageservices'
workflow-v1.0.json.
"""

from __future__ import annotations

from dataclasses import dataclass

from pawl.core.workflow.grammar.shapes import (
    Definition,
    Key,
    MappingShape,
    any_keys,
    key,
    keys,
    list_of,
    one_of,
    words,
)


@dataclass(frozen=True, slots=True)
class EventKind:
    """An event: its activity types, and the filters it knows. `about` says when it happens."""

    about: str
    types: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()


_BRANCHES = ("branches", "branches-ignore")
_TAGS = ("tags", "tags-ignore")
_PATHS = ("paths", "paths-ignore")
_CHANGES = ("created", "edited", "deleted")
_PULL_REQUEST = (
    "assigned",
    "unassigned",
    "labeled",
    "unlabeled",
    "opened",
    "edited",
    "closed",
    "reopened",
    "synchronize",
    "converted_to_draft",
    "locked",
    "unlocked",
    "enqueued",
    "dequeued",
    "milestoned",
    "demilestoned",
    "ready_for_review",
    "review_requested",
    "review_request_removed",
    "auto_merge_enabled",
    "auto_merge_disabled",
    "stacked",
)
_ISSUES = (
    "opened",
    "edited",
    "deleted",
    "transferred",
    "pinned",
    "unpinned",
    "closed",
    "reopened",
    "assigned",
    "unassigned",
    "labeled",
    "unlabeled",
    "locked",
    "unlocked",
    "milestoned",
    "demilestoned",
    "field_added",
    "field_removed",
    "typed",
    "untyped",
)
_DISCUSSION = (
    "created",
    "edited",
    "deleted",
    "transferred",
    "pinned",
    "unpinned",
    "labeled",
    "unlabeled",
    "locked",
    "unlocked",
    "category_changed",
    "answered",
    "unanswered",
)

EVENTS: dict[str, EventKind] = {
    "branch_protection_rule": EventKind("Branch protection rules changed.", _CHANGES),
    "check_run": EventKind(
        "A check run changed.", ("completed", "created", "rerequested", "requested_action")
    ),
    "check_suite": EventKind("A check suite changed.", ("completed",)),
    "create": EventKind("A branch or tag was created."),
    "delete": EventKind("A branch or tag was deleted."),
    "deployment": EventKind("A deployment was created."),
    "deployment_status": EventKind("A third party gave the status of a deployment."),
    "discussion": EventKind("A discussion changed.", _DISCUSSION),
    "discussion_comment": EventKind("A comment on a discussion changed.", _CHANGES),
    "fork": EventKind("The repository was forked."),
    "gollum": EventKind("A wiki page changed."),
    "image_version": EventKind(
        "A version of a custom image changed.", ("created", "ready", "deleted"), ("names", "versions")
    ),
    "issue_comment": EventKind("A comment on an issue or pull request changed.", _CHANGES),
    "issues": EventKind("An issue changed.", _ISSUES),
    "label": EventKind("A label changed.", _CHANGES),
    "merge_group": EventKind("A merge queue asks for checks.", ("checks_requested",), _BRANCHES),
    "milestone": EventKind("A milestone changed.", ("created", "closed", "opened", "edited", "deleted")),
    "page_build": EventKind("The branch that publishes pages was pushed to."),
    "project": EventKind(
        "A classic project changed.", ("created", "closed", "reopened", "edited", "deleted")
    ),
    "project_card": EventKind(
        "A card of a classic project changed.", ("created", "moved", "converted", "edited", "deleted")
    ),
    "project_column": EventKind(
        "A column of a classic project changed.", ("created", "updated", "moved", "deleted")
    ),
    "public": EventKind("The repository was made public."),
    "pull_request": EventKind("A pull request changed.", _PULL_REQUEST, _BRANCHES + _PATHS),
    "pull_request_comment": EventKind("A comment on a pull request changed.", _CHANGES),
    "pull_request_review": EventKind("A review changed.", ("submitted", "edited", "dismissed")),
    "pull_request_review_comment": EventKind("A comment of a review changed.", _CHANGES),
    "pull_request_target": EventKind(
        "A pull request changed; runs the workflow of the base branch, with its secrets.",
        _PULL_REQUEST,
        _BRANCHES + _PATHS,
    ),
    "push": EventKind("Commits or tags were pushed.", (), _BRANCHES + _TAGS + _PATHS),
    "registry_package": EventKind("A package was published or updated.", ("published", "updated")),
    "release": EventKind(
        "A release changed.",
        ("published", "unpublished", "created", "edited", "deleted", "prereleased", "released"),
    ),
    "status": EventKind("The status of a commit changed."),
    "watch": EventKind("Someone starred the repository.", ("started",)),
    "workflow_run": EventKind(
        "Another workflow was requested or has completed.",
        ("requested", "completed", "in_progress"),
        ("workflows", *_BRANCHES),
    ),
}
"""Events that are started by something that happened; the others are defined below one by one."""

_ABOUT_FILTER = {
    "branches": "Only for branches that match one of these patterns.",
    "branches-ignore": "Not for branches that match one of these patterns.",
    "tags": "Only for tags that match one of these patterns.",
    "tags-ignore": "Not for tags that match one of these patterns.",
    "paths": "Only when a changed file matches one of these patterns.",
    "paths-ignore": "Not when every changed file matches one of these patterns.",
    "workflows": "The names of the workflows to wait for.",
    "names": "Only for images of these names.",
    "versions": "Only for these versions.",
}


def _event_keys(name: str, kind: EventKind) -> MappingShape:
    known: dict[str, Key] = {}
    if kind.types:
        known["types"] = key(f"on-{name}-types", "Only for these activity types.")
    known |= {word: key("string-or-strings", _ABOUT_FILTER[word]) for word in kind.filters}
    return MappingShape(keys=known)


def _event(name: str, kind: EventKind) -> dict[str, Definition]:
    if not kind.types and not kind.filters:
        return {f"on-{name}": one_of("null", about=kind.about)}
    definitions = {
        f"on-{name}": one_of("null", f"on-{name}-mapping", about=kind.about),
        f"on-{name}-mapping": Definition(shape=_event_keys(name, kind)),
    }
    if kind.types:
        definitions[f"on-{name}-types"] = one_of(f"on-{name}-type", f"on-{name}-type-list")
        definitions[f"on-{name}-type"] = words(*kind.types)
        definitions[f"on-{name}-type-list"] = list_of(f"on-{name}-type")
    return definitions


_CALLED: dict[str, Definition] = {
    "on-workflow_call": one_of(
        "null", "on-workflow_call-mapping", about="Another workflow calls this one with `jobs.<id>.uses`."
    ),
    "on-workflow_call-mapping": keys(
        inputs=key("on-workflow_call-inputs", "What the caller may pass with `with`."),
        secrets=key("on-workflow_call-secrets", "Secrets the caller may pass."),
        outputs=key("on-workflow_call-outputs", "What the caller gets back."),
    ),
    "on-workflow_call-inputs": any_keys("on-workflow_call-input"),
    "on-workflow_call-input": keys(
        description=key("string", "What the input is for."),
        type=key("on-workflow_call-input-type", "`boolean`, `number` or `string`.", required=True),
        required=key("boolean", "Whether the caller must pass it."),
        default=key("on-workflow_call-input-default", "The value when the caller passes none."),
    ),
    "on-workflow_call-input-type": words("string", "boolean", "number"),
    "on-workflow_call-input-default": one_of(
        "string", "boolean", "number", scope="workflow-call-input-default"
    ),
    "on-workflow_call-secrets": any_keys("on-workflow_call-secret"),
    "on-workflow_call-secret": one_of("null", "on-workflow_call-secret-mapping"),
    "on-workflow_call-secret-mapping": keys(
        description=key("string", "What the secret is for."),
        required=key("boolean", "Whether the caller must pass it."),
    ),
    "on-workflow_call-outputs": any_keys("on-workflow_call-output"),
    "on-workflow_call-output": keys(
        description=key("string", "What the output holds."),
        value=key("on-workflow_call-output-value", "The value, made of the outputs of jobs.", required=True),
    ),
    "on-workflow_call-output-value": one_of("string", scope="workflow-output-context"),
}

_STARTED: dict[str, Definition] = {
    "on-workflow_dispatch": one_of(
        "null", "on-workflow_dispatch-mapping", about="Someone starts the workflow by hand."
    ),
    "on-workflow_dispatch-mapping": keys(
        inputs=key("on-workflow_dispatch-inputs", "What the person who starts it is asked for.")
    ),
    "on-workflow_dispatch-inputs": any_keys("on-workflow_dispatch-input"),
    "on-workflow_dispatch-input": keys(
        description=key("string", "What the input is for."),
        type=key("on-workflow_dispatch-input-type", "`string` when left out."),
        required=key("boolean", "Whether a value must be given."),
        default=key("on-workflow_dispatch-input-default", "The value when none is given."),
        options=key("strings", "The values to choose from, for the type `choice`."),
    ),
    "on-workflow_dispatch-input-type": words("string", "boolean", "number", "choice", "environment"),
    "on-workflow_dispatch-input-default": one_of("string", "boolean", "number"),
    "on-repository_dispatch": one_of(
        "null", "on-repository_dispatch-mapping", about="A program starts the workflow through the API."
    ),
    "on-repository_dispatch-mapping": keys(types=key("non-empty-strings", "Only for these event types.")),
    "on-schedule": list_of("on-schedule-item", "At fixed times."),
    "on-schedule-item": keys(
        cron=key(
            "non-empty-string", "Minute, hour, day of month, month, day of week, in UTC.", required=True
        ),
        timezone=key("non-empty-string", "An IANA time zone that the times are meant in."),
    ),
}

_SPECIAL = ("repository_dispatch", "schedule", "workflow_call", "workflow_dispatch")
EVENT_NAMES = tuple(sorted((*EVENTS, *_SPECIAL)))

TRIGGERS: dict[str, Definition] = {
    "on": one_of("on-name", "on-list", "on-mapping", about="The events that start the workflow."),
    "on-name": words(*EVENT_NAMES),
    "on-list": list_of("on-name"),
    "on-mapping": Definition(
        shape=MappingShape(
            keys={
                name: key(f"on-{name}", EVENTS[name].about if name in EVENTS else "") for name in EVENT_NAMES
            }
        )
    ),
    **_CALLED,
    **_STARTED,
    **{name: value for event, kind in EVENTS.items() for name, value in _event(event, kind).items()},
}
