"""The `GITHUB_TOKEN` of a job: one of its own where the forge makes such, else perhaps the project's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from pawl.core.model.errors import PawlError, TransientError
from pawl.core.model.forge import PUBLIC_APIS, ForgeAccess, ForgeKind
from pawl.core.model.projects import Project
from pawl.core.secrets.rights import Rights
from pawl.ports.clock import Clock
from pawl.ports.forge import Forge
from pawl.ports.sealing import Sealing

_PATIENCE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobToken:
    """A token, "" for none, and why there is none or another than was asked for."""

    secret: str = ""
    note: str = ""


class JobTokens:
    """Gets tokens from forges."""

    def __init__(self, forges: Mapping[ForgeKind, Forge], sealing: Sealing, clock: Clock) -> None:
        """Take the forges by what they speak."""
        self._forges = forges
        self._sealing = sealing
        self._clock = clock

    async def of(self, project: Project, permissions: Mapping[str, str], rights: Rights) -> JobToken:
        """Return a token for one job of a project, with at most these permissions.

        Raises:
            TransientError: the forge cannot say now.
        """
        try:
            if project.app_id and "app_key" in project.secrets:
                return await self._of_app(project, permissions)
            if not project.share_token or "token" not in project.secrets:
                return JobToken()
            if not rights.writes:
                return JobToken(note=f"`github.token` is empty: {rights.reason}")
            return JobToken(secret=self._open(project, "token"))
        except TransientError:
            raise
        except PawlError as error:
            return JobToken(note=f"`github.token` is empty: {error.message}")

    async def _of_app(self, project: Project, permissions: Mapping[str, str]) -> JobToken:
        access = ForgeAccess(
            repository=project.name,
            api_url=project.api_url or PUBLIC_APIS.get(project.forge, ""),
            app_id=project.app_id,
            app_key=self._open(project, "app_key"),
            user=project.user,
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                made = await self._forges[project.forge].token(access, permissions, self._clock.now())
        except TimeoutError:
            raise TransientError("the forge does not answer") from None
        return JobToken(secret=made.secret) if made is not None else JobToken()

    def _open(self, project: Project, name: str) -> str:
        return self._sealing.open(project.secrets[name], f"project:{project.name}:{name}")
