"""Statuses of commits at Bitbucket Cloud. Source: its REST API's description, "Commit statuses"."""

from __future__ import annotations

import base64
import hashlib
import json
from urllib.parse import quote

from pawl.core.forges.answers import Reply, check_reply, shortened
from pawl.core.model.errors import UsageError
from pawl.core.model.forge import PUBLIC_APIS, CommitState, CommitStatus, ForgeAccess, ForgeKind
from pawl.ports.outgoing import Outgoing, Sender

_STATES = {
    CommitState.PENDING: "INPROGRESS",
    CommitState.RUNNING: "INPROGRESS",
    CommitState.SUCCESS: "SUCCESSFUL",
    CommitState.SKIPPED: "SUCCESSFUL",
    CommitState.FAILURE: "FAILED",
    CommitState.ERROR: "FAILED",
    CommitState.CANCELLED: "STOPPED",
}
_LONGEST = 255
_LONGEST_KEY = 40


async def report_status(sender: Sender, access: ForgeAccess, status: CommitStatus, now: float) -> None:
    """Set the status of a commit; raises as `Forge.report`."""
    if not access.token:
        raise UsageError(
            f"no token is configured for {access.repository}",
            hint="give the project an access token of the repository, or an account's token and its user",
        )
    body = {
        "state": _STATES[status.state],
        "key": key_of(status.context),
        "name": shortened(status.context, _LONGEST),
        "description": shortened(status.description, _LONGEST),
        # Bitbucket takes none without a URL.
        "url": status.url or f"https://bitbucket.org/{access.repository}/commits/{status.sha}",
        **({"refname": status.ref} if status.ref else {}),
    }
    api = access.api_url or PUBLIC_APIS[ForgeKind.BITBUCKET]
    repository = "/".join(quote(part, safe="") for part in access.repository.split("/"))
    request = Outgoing(
        method="POST",
        url=f"{api}/repositories/{repository}/commit/{quote(status.sha, safe='')}/statuses/build",
        headers={
            "Authorization": _authorization(access),
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "pawl",
        },
        body=json.dumps(body).encode(),
    )
    answer = await sender.send(request)
    secrets = (access.token, _authorization(access).partition(" ")[2])
    reply = Reply(status=answer.status, headers=answer.headers, body=answer.body, secrets=secrets)
    check_reply(reply, f"setting a status of {access.repository} at Bitbucket", now)


def key_of(context: str) -> str:
    """Return what tells statuses of a commit apart: the context, with a digest where it is too long."""
    if len(context) <= _LONGEST_KEY and context.isprintable():
        return context
    digest = hashlib.sha256(context.encode()).hexdigest()[:12]
    return f"{shortened(context, _LONGEST_KEY - 13)}-{digest}"


def _authorization(access: ForgeAccess) -> str:
    if not access.user:
        return f"Bearer {access.token}"
    return "Basic " + base64.b64encode(f"{access.user}:{access.token}".encode()).decode()
