"""Reading what GitHub writes, and Gitea and Forgejo after it: repositories, refs, pull requests."""

from __future__ import annotations

from pawl.core.forges.events import PullRequest
from pawl.core.forges.members import Members
from pawl.core.model.refs import is_commit, repository_fault


def repository_in(body: Members) -> str:
    """Return the name of the repository, "" where the body is about none (an organization's webhook)."""
    return body.object("repository").repository("full_name") if "repository" in body else ""


def made_ref(body: Members) -> str:
    """Return the full ref that a `create` or `delete` is about: it gives kind and short name."""
    folder = "tags" if body.text("ref_type") == "tag" else "heads"
    return f"refs/{folder}/{body.branch('ref')}"


def read_pull_request(told: Members) -> PullRequest:
    """Return a pull request. Where its repository is gone, it counts as one from a fork.

    So does one whose head is no branch: to Gitea anybody who may read can push a request without one
    (`refs/for/main`, the AGit flow), and the base's own repository then stands as that of its head.
    """
    base, head = told.object("base"), told.object("head")
    is_branch = not head.text("ref", "").startswith("refs/") and head.value.get("label") != ""
    where = head.maybe("repo").text("full_name", "") if is_branch else ""
    merge = told.text("merge_commit_sha", "")
    return PullRequest(
        number=told.number("number"),
        base_ref=base.branch("ref"),
        head_ref=head.branch("ref"),
        base_sha=base.commit("sha", ""),
        head_sha=head.commit("sha"),
        head_repository="" if repository_fault(where) else where,
        merged=told.flag("merged"),
        merge_sha=merge if is_commit(merge) else "",
    )
