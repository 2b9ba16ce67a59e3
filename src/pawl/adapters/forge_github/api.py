"""Calls of GitHub's API. Source: GitHub REST API documentation, "Getting started"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote

from pawl.core.forges.answers import Reply, check_reply
from pawl.core.model.forge import PUBLIC_APIS, ForgeAccess, ForgeKind
from pawl.ports.clock import Clock
from pawl.ports.outgoing import Outgoing, Sender

_VERSION = "2022-11-28"


class Api:
    """Sends calls and checks their answers."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        """Take what sends requests, and the clock."""
        self._sender = sender
        self._clock = clock

    def now(self) -> float:
        """Return seconds since 1970."""
        return self._clock.now()

    async def call(
        self,
        access: ForgeAccess,
        token: str,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        what: str,
    ) -> Reply:
        """Return the answer to a call that went well; raises as `Forge.report`.

        Args:
            access: whose `api_url` counts.
            token: of any kind that GitHub takes as a bearer's.
            method: of HTTP.
            path: after the API's URL, percent-encoded.
            body: sent as JSON.
            what: was asked, for messages.
        """
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "User-Agent": "pawl",
            "X-GitHub-Api-Version": _VERSION,
            **({"Content-Type": "application/json"} if body is not None else {}),
        }
        url = f"{access.api_url or PUBLIC_APIS[ForgeKind.GITHUB]}{path}"
        content = b"" if body is None else json.dumps(body).encode()
        answer = await self._sender.send(Outgoing(method=method, url=url, headers=headers, body=content))
        reply = Reply(status=answer.status, headers=answer.headers, body=answer.body, secrets=(token,))
        check_reply(reply, what, self.now())
        return reply


def repository_path(access: ForgeAccess) -> str:
    """Return `/repos/owner/name`, percent-encoded."""
    return "/repos/" + "/".join(quote(part, safe="") for part in access.repository.split("/"))
