"""Facts about every event that may stand under `on:`, as a table that the grammar and the triggers share.

Sources: GitHub documentation, "Events that trigger workflows" (activity types, defaults, filters), and the
official schema workflow-v1.0.json (allowed values and keys).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """What `on.<event>` may say, and what it means when it says nothing.

    Attributes:
        about: when it happens.
        types: the activity types the event has; empty when it has none.
        default_types: those that start a workflow that names none.
        free_types: whether `types` are words of the user's own (`repository_dispatch`).
        filters: the filter keys it takes (`branches`, `paths-ignore`, `workflows`, ...).
    """

    about: str
    types: tuple[str, ...] = ()
    default_types: tuple[str, ...] = ()
    free_types: bool = False
    filters: tuple[str, ...] = ()


_BRANCHES = ("branches", "branches-ignore")
_PATHS = ("paths", "paths-ignore")
_TAGS = ("tags", "tags-ignore")


def _with_types(about: str, types: tuple[str, ...], *filters: str) -> EventFacts:
    return EventFacts(about=about, types=types, default_types=types, filters=filters)


def _pull_request(about: str) -> EventFacts:
    return EventFacts(
        about=about,
        types=_PULL_REQUEST,
        default_types=("opened", "synchronize", "reopened"),
        filters=_BRANCHES + _PATHS,
    )


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

_CHANGES = ("created", "edited", "deleted")

EVENTS: Mapping[str, EventFacts] = MappingProxyType(
    {
        "branch_protection_rule": _with_types("Branch protection rules changed.", _CHANGES),
        "check_run": _with_types(
            "A check run changed.", ("created", "rerequested", "completed", "requested_action")
        ),
        "check_suite": _with_types("A check suite changed.", ("completed",)),
        "create": EventFacts(about="A branch or tag was created."),
        "delete": EventFacts(about="A branch or tag was deleted."),
        "deployment": EventFacts(about="A deployment was created."),
        "deployment_status": EventFacts(about="A third party gave the status of a deployment."),
        "discussion": _with_types("A discussion changed.", _DISCUSSION),
        "discussion_comment": _with_types("A comment on a discussion changed.", _CHANGES),
        "fork": EventFacts(about="The repository was forked."),
        "gollum": EventFacts(about="A wiki page changed."),
        "image_version": _with_types(
            "A version of a custom image changed.", ("created", "ready", "deleted"), "names", "versions"
        ),
        "issue_comment": _with_types("A comment on an issue or pull request changed.", _CHANGES),
        "issues": _with_types("An issue changed.", _ISSUES),
        "label": _with_types("A label changed.", _CHANGES),
        "merge_group": _with_types("A merge queue asks for checks.", ("checks_requested",), *_BRANCHES),
        "milestone": _with_types(
            "A milestone changed.", ("created", "closed", "opened", "edited", "deleted")
        ),
        "page_build": EventFacts(about="The branch that publishes pages was pushed to."),
        "project": _with_types(
            "A classic project changed.", ("created", "closed", "reopened", "edited", "deleted")
        ),
        "project_card": _with_types(
            "A card of a classic project changed.", ("created", "moved", "converted", "edited", "deleted")
        ),
        "project_column": _with_types(
            "A column of a classic project changed.", ("created", "updated", "moved", "deleted")
        ),
        "public": EventFacts(about="The repository was made public."),
        "pull_request": _pull_request("A pull request changed."),
        "pull_request_comment": _with_types("A comment on a pull request changed.", _CHANGES),
        "pull_request_review": _with_types("A review changed.", ("submitted", "edited", "dismissed")),
        "pull_request_review_comment": _with_types("A comment of a review changed.", _CHANGES),
        "pull_request_target": _pull_request(
            "A pull request changed; runs the workflow of the base branch, with its secrets."
        ),
        "push": EventFacts(about="Commits or tags were pushed.", filters=_BRANCHES + _TAGS + _PATHS),
        "registry_package": _with_types("A package was published or updated.", ("published", "updated")),
        "release": _with_types(
            "A release changed.",
            ("published", "unpublished", "created", "edited", "deleted", "prereleased", "released"),
        ),
        "repository_dispatch": EventFacts(
            about="A program starts the workflow through the API.", free_types=True
        ),
        "schedule": EventFacts(about="At fixed times."),
        "status": EventFacts(about="The status of a commit changed."),
        "watch": _with_types("Someone starred the repository.", ("started",)),
        "workflow_call": EventFacts(about="Another workflow calls this one with `jobs.<id>.uses`."),
        "workflow_dispatch": EventFacts(about="Someone starts the workflow by hand."),
        "workflow_run": _with_types(
            "Another workflow was requested or has completed.",
            ("completed", "requested", "in_progress"),
            "workflows",
            *_BRANCHES,
        ),
    }
)
"""Every event by its name."""
