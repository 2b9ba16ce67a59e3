"""Commit statuses of Gitea and Forgejo. Source: Gitea, modules/structs/status.go and its OpenAPI document."""

from __future__ import annotations

import json
from urllib.parse import quote

from pawl.core.forges.answers import Reply, check_reply, shortened
from pawl.core.model.errors import UsageError
from pawl.core.model.forge import CommitState, CommitStatus, ForgeAccess
from pawl.ports.outgoing import Outgoing, Sender

_STATES = {
    CommitState.PENDING: "pending",
    CommitState.RUNNING: "pending",
    CommitState.SUCCESS: "success",
    # Only new versions know `skipped`, and a check that a branch requires would wait for ever.
    CommitState.SKIPPED: "success",
    CommitState.FAILURE: "failure",
    CommitState.ERROR: "error",
    CommitState.CANCELLED: "error",
}
_LONGEST = 255


async def report_status(sender: Sender, access: ForgeAccess, status: CommitStatus, now: float) -> None:
    """Set a commit status; raises as `Forge.report`."""
    if not access.token or not access.api_url:
        raise UsageError(
            f"no {'API' if access.token else 'token'} is configured for {access.repository}",
            hint="give the project the API's URL, as https://git.example.org/api/v1, and a token",
        )
    body = {
        "state": _STATES[status.state],
        "context": shortened(status.context, _LONGEST),
        "description": shortened(status.description, _LONGEST),
        "target_url": status.url,
    }
    repository = "/".join(quote(part, safe="") for part in access.repository.split("/"))
    request = Outgoing(
        method="POST",
        url=f"{access.api_url}/repos/{repository}/statuses/{quote(status.sha, safe='')}",
        headers={
            "Authorization": f"token {access.token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "pawl",
        },
        body=json.dumps(body).encode(),
    )
    answer = await sender.send(request)
    secrets = (access.token,)
    reply = Reply(status=answer.status, headers=answer.headers, body=answer.body, secrets=secrets)
    check_reply(reply, f"setting a status of {access.repository} at Gitea", now)
