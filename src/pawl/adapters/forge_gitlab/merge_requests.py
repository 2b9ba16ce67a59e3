"""A merge request's webhook as `pull_request`: actions in GitHub's words."""

from __future__ import annotations

from dataclasses import replace

from pawl.adapters.forge_gitlab.people import person
from pawl.core.forges.events import PullRequest, pull_request_events
from pawl.core.forges.members import Members
from pawl.core.forges.payloads import Person, PullRequestTexts, pull_request_payload, repository_of
from pawl.core.model.events import Event
from pawl.core.model.refs import is_commit, repository_fault

_ACTIONS = {"open": "opened", "reopen": "reopened", "close": "closed", "merge": "closed"}


def read_merge_request(base: Event, body: Members) -> tuple[Event, ...] | str:
    """Return the events of a merge request, or why there are none."""
    told = body.object("object_attributes")
    action = _action(told, body.maybe("changes"))
    if action is None:
        return f"the action `{told.text('action', '')[:60]}` of a merge request starts no workflow"
    pull = _pull_request(told)
    texts = PullRequestTexts(
        title=told.text("title", ""),
        body=told.text("description", ""),
        author=_author(told, body),
        url=told.text("url", ""),
        is_open=told.text("state", "") in {"opened", "locked"},
        draft=told.flag("draft") or told.flag("work_in_progress"),
        labels=[each.text("title", "") for each in body.objects("labels")],
    )
    payload = {
        **base.payload,
        "action": action,
        "number": pull.number,
        "pull_request": pull_request_payload(pull, texts, repository_of(base)),
    }
    if "oldrev" in told:
        payload |= {"before": told.commit("oldrev"), "after": pull.head_sha}
    return pull_request_events(replace(base, payload=payload), pull, action)


def _action(told: Members, changes: Members) -> str | None:
    """Return GitHub's word for what happened: an update with `oldrev` brought commits."""
    action = told.text("action", "")
    if action != "update":
        return _ACTIONS.get(action)
    if "oldrev" in told:
        return "synchronize"
    if "draft" in changes:
        return "converted_to_draft" if changes.object("draft").flag("current") else "ready_for_review"
    if "labels" in changes:
        labels = changes.object("labels")
        fewer = len(list(labels.objects("current"))) < len(list(labels.objects("previous")))
        return "unlabeled" if fewer else "labeled"
    return "edited"


def _pull_request(told: Members) -> PullRequest:
    commit = told.object("last_commit")
    source = told.maybe("source").text("path_with_namespace", "")
    same = told.value.get("source_project_id") == told.value.get("target_project_id")
    merge = told.text("merge_commit_sha", "") or told.text("squash_commit_sha", "")
    target = told.maybe("target").text("path_with_namespace", "")
    is_known = not repository_fault(source) and same == (source == target)
    return PullRequest(
        number=told.number("iid"),
        base_ref=told.branch("target_branch"),
        head_ref=told.branch("source_branch"),
        head_sha=commit.commit("id"),
        head_repository=source if is_known else "",
        merged=told.text("state", "") == "merged",
        merge_sha=merge if is_commit(merge) else "",
        message=commit.text("message", ""),
        author=commit.maybe("author").text("name", ""),
    )


def _author(told: Members, body: Members) -> Person:
    """Return who wrote the request: only their number is told, unless it is who did this."""
    number = told.value.get("author_id")
    doer = person(body.maybe("user"))
    if not isinstance(number, int) or doer.id == number:
        return doer
    return Person(login="", id=number)
