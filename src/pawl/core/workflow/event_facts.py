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
        types: the activity types the event has; empty when it has none.
        default_types: those that start a workflow that names none.
        free_types: whether `types` are words of the user's own (`repository_dispatch`).
        filters: the filter keys it takes (`branches`, `paths-ignore`, `workflows`, ...).
    """

    types: tuple[str, ...] = ()
    default_types: tuple[str, ...] = ()
    free_types: bool = False
    filters: frozenset[str] = frozenset()


_BRANCHES = frozenset({"branches", "branches-ignore"})
_PATHS = frozenset({"paths", "paths-ignore"})
_TAGS = frozenset({"tags", "tags-ignore"})


def _with_types(
    *types: str, default: tuple[str, ...] = (), filters: frozenset[str] = frozenset()
) -> EventFacts:
    return EventFacts(types=types, default_types=default or types, filters=filters)


_PULL_REQUEST = _with_types(
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
    default=("opened", "synchronize", "reopened"),
    filters=_BRANCHES | _PATHS,
)

_ISSUES = _with_types(
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

_DISCUSSION = _with_types(
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

_COMMENT = _with_types("created", "edited", "deleted")

EVENTS: Mapping[str, EventFacts] = MappingProxyType(
    {
        "branch_protection_rule": _COMMENT,
        "check_run": _with_types("created", "rerequested", "completed", "requested_action"),
        "check_suite": _with_types("completed"),
        "create": EventFacts(),
        "delete": EventFacts(),
        "deployment": EventFacts(),
        "deployment_status": EventFacts(),
        "discussion": _DISCUSSION,
        "discussion_comment": _COMMENT,
        "fork": EventFacts(),
        "gollum": EventFacts(),
        "image_version": _with_types("created", "ready", "deleted", filters=frozenset({"names", "versions"})),
        "issue_comment": _COMMENT,
        "issues": _ISSUES,
        "label": _COMMENT,
        "merge_group": _with_types("checks_requested", filters=_BRANCHES),
        "milestone": _with_types("created", "closed", "opened", "edited", "deleted"),
        "page_build": EventFacts(),
        "project": _with_types("created", "closed", "reopened", "edited", "deleted"),
        "project_card": _with_types("created", "moved", "converted", "edited", "deleted"),
        "project_column": _with_types("created", "updated", "moved", "deleted"),
        "public": EventFacts(),
        "pull_request": _PULL_REQUEST,
        "pull_request_comment": _COMMENT,
        "pull_request_review": _with_types("submitted", "edited", "dismissed"),
        "pull_request_review_comment": _COMMENT,
        "pull_request_target": _PULL_REQUEST,
        "push": EventFacts(filters=_BRANCHES | _TAGS | _PATHS),
        "registry_package": _with_types("published", "updated"),
        "release": _with_types(
            "published", "unpublished", "created", "edited", "deleted", "prereleased", "released"
        ),
        "repository_dispatch": EventFacts(free_types=True),
        "schedule": EventFacts(),
        "status": EventFacts(),
        "watch": _with_types("started"),
        "workflow_call": EventFacts(),
        "workflow_dispatch": EventFacts(),
        "workflow_run": _with_types(
            "completed", "requested", "in_progress", filters=_BRANCHES | {"workflows"}
        ),
    }
)
"""Every event by its name."""
