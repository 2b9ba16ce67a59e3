"""What a server fetches a project's repository with: its App's token where it has an App, else its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from pawl.core.model.errors import TransientError
from pawl.core.model.forge import PUBLIC_APIS, ForgeAccess, ForgeKind, ForgeToken
from pawl.core.model.projects import Project
from pawl.ports.clock import Clock
from pawl.ports.forge import Forge
from pawl.ports.mirrors import Origin
from pawl.ports.sealing import Sealing

_PATIENCE = 10.0
_MARGIN = 900.0
"""Seconds before its end at which a token is not begun to fetch with any more: a fetch may take as long."""
_MOST_KEPT = 1000
_READ = {"contents": "read"}


class Origins:
    """Knows where and with what the mirrors of a server are fetched. Tokens of Apps are kept in memory."""

    def __init__(self, forges: Mapping[ForgeKind, Forge], sealing: Sealing, clock: Clock) -> None:
        """Take the forges by what they speak."""
        self._forges = forges
        self._sealing = sealing
        self._clock = clock
        self._made: dict[tuple[str, str], ForgeToken] = {}

    async def of(self, project: Project) -> Origin:
        """Return where a project's mirror is fetched from.

        Raises:
            TransientError: the forge cannot make a token now.
            UsageError: it will not: the App or its key is wrong.
            InfrastructureError: a secret was sealed under another key.
        """
        token = await self._of_app(project)
        if token is not None:
            return Origin(name=project.name, url=project.clone_url, user=token.user, secret=token.secret)
        own = self._open(project, "token")
        return Origin(name=project.name, url=project.clone_url, user=project.user, secret=own)

    async def _of_app(self, project: Project) -> ForgeToken | None:
        sealed = project.secrets.get("app_key")
        if not project.app_id or sealed is None:
            return None
        now = self._clock.now()
        kept = self._made.get((project.name, sealed))
        if kept is not None and kept.expires_at is not None and now < kept.expires_at - _MARGIN:
            return kept
        access = ForgeAccess(
            repository=project.name,
            api_url=project.api_url or PUBLIC_APIS.get(project.forge, ""),
            app_id=project.app_id,
            app_key=self._open(project, "app_key"),
            user=project.user,
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                made = await self._forges[project.forge].token(access, _READ, now)
        except TimeoutError:
            raise TransientError(f"the forge of {project.name} does not answer") from None
        if made is not None:
            while len(self._made) >= _MOST_KEPT:
                self._made.pop(next(iter(self._made)))
            self._made[project.name, sealed] = made
        return made

    def _open(self, project: Project, name: str) -> str:
        sealed = project.secrets.get(name, "")
        return self._sealing.open(sealed, f"project:{project.name}:{name}") if sealed else ""
