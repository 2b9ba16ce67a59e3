"""Commit statuses of GitLab. Source: GitLab documentation, Commits API, "Set commit pipeline status"."""

from __future__ import annotations

import json
from urllib.parse import quote

from pawl.core.forges.answers import Reply, check_reply, shortened
from pawl.core.model.errors import UsageError
from pawl.core.model.forge import PUBLIC_APIS, CommitState, CommitStatus, ForgeAccess, ForgeKind
from pawl.ports.outgoing import Outgoing, Sender

_STATES = {
    CommitState.PENDING: "pending",
    CommitState.RUNNING: "running",
    CommitState.SUCCESS: "success",
    CommitState.SKIPPED: "skipped",
    CommitState.FAILURE: "failed",
    CommitState.ERROR: "failed",
    CommitState.CANCELLED: "canceled",
}
_LONGEST = 255
_STANDS_ALREADY = b"Cannot transition status"
"""GitLab's answer to a state that stands already, or that no longer can follow the one that does."""


async def report_status(sender: Sender, access: ForgeAccess, status: CommitStatus, now: float) -> None:
    """Set a commit status; raises as `Forge.report`."""
    if not access.token:
        raise UsageError(
            f"no token is configured for {access.repository}",
            hint="give the project a token of GitLab with the scope `api`",
        )
    body = {
        "state": _STATES[status.state],
        "name": shortened(status.context, _LONGEST),
        "description": shortened(status.description, _LONGEST),
        **({"target_url": status.url} if 0 < len(status.url) <= _LONGEST else {}),
        **({"ref": status.ref} if status.ref else {}),
    }
    api = access.api_url or PUBLIC_APIS[ForgeKind.GITLAB]
    project, sha = quote(access.repository, safe=""), quote(status.sha, safe="")
    request = Outgoing(
        method="POST",
        url=f"{api}/projects/{project}/statuses/{sha}",
        headers={
            "PRIVATE-TOKEN": access.token,
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "pawl",
        },
        body=json.dumps(body).encode(),
    )
    answer = await sender.send(request)
    if answer.status == 400 and _STANDS_ALREADY in answer.body:
        return
    secrets = (access.token,)
    reply = Reply(status=answer.status, headers=answer.headers, body=answer.body, secrets=secrets)
    check_reply(reply, f"setting a status of {access.repository} at GitLab", now)
