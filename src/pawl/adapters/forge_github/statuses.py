"""Commit statuses of GitHub. Source: GitHub REST API documentation, "Commit statuses"."""

from __future__ import annotations

from urllib.parse import quote

from pawl.adapters.forge_github.api import Api, repository_path
from pawl.core.forges.answers import shortened
from pawl.core.model.errors import UsageError
from pawl.core.model.forge import CommitState, CommitStatus, ForgeAccess

_STATES = {
    CommitState.PENDING: "pending",
    CommitState.RUNNING: "pending",
    CommitState.SUCCESS: "success",
    CommitState.SKIPPED: "success",
    CommitState.FAILURE: "failure",
    CommitState.ERROR: "error",
    CommitState.CANCELLED: "error",
}
_LONGEST_DESCRIPTION = 140
_LONGEST_CONTEXT = 255


async def report_status(api: Api, access: ForgeAccess, status: CommitStatus) -> None:
    """Set a commit status; raises as `Forge.report`."""
    if not access.token:
        raise UsageError(
            f"no token is configured for {access.repository}",
            hint="give the project a token that may write commit statuses, or a GitHub App",
        )
    body = {
        "state": _STATES[status.state],
        "context": shortened(status.context, _LONGEST_CONTEXT),
        "description": shortened(status.description, _LONGEST_DESCRIPTION),
        **({"target_url": status.url} if status.url else {}),
    }
    path = f"{repository_path(access)}/statuses/{quote(status.sha, safe='')}"
    what = f"setting a status of {access.repository} at GitHub"
    await api.call(access, access.token, "POST", path, body, what=what)
