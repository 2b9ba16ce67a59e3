"""Where workers have the files of forges' runs: from the forge itself, or from this server's mirrors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from pawl.core.model.clones import Clone
from pawl.core.model.errors import NotFound, PawlError
from pawl.core.model.events import Event
from pawl.core.model.projects import Project
from pawl.core.secrets.rights import Rights
from pawl.engine.control.job_tokens import JobTokens
from pawl.engine.control.origins import Origins
from pawl.ports.mirrors import Mirrors
from pawl.ports.sealing import Sealing

_READ = {"contents": "read"}
_APP_USER = "x-access-token"
"""Source: GitHub docs, "Authenticating as a GitHub App installation"."""


class Clones:
    """Says where the files of a project's commits come from, and gives them where a worker cannot fetch."""

    def __init__(self, tokens: JobTokens, origins: Origins, sealing: Sealing, mirrors: Mirrors) -> None:
        """Take what makes tokens, of jobs and for this server's mirrors."""
        self._tokens = tokens
        self._origins = origins
        self._sealing = sealing
        self._mirrors = mirrors

    async def of(self, project: Project, rights: Rights) -> Clone:
        """Return where a job of a project has its files.

        The project's own token goes to no machine that runs a stranger's commit, and neither can a worker
        have the server's ssh key: then the server is to be asked.

        Raises:
            TransientError: the forge cannot make a token now.
            InfrastructureError: the project's token was sealed under another key.
        """
        if urlsplit(project.clone_url).scheme not in ("http", "https"):
            return Clone()
        if made := (await self._tokens.of(project, _READ, rights)).secret:
            user = _APP_USER if project.app_id else project.user
            return Clone(url=project.clone_url, user=user, secret=made, shared=True)
        if not project.secrets.keys() & {"token", "app_key"}:
            return Clone(url=project.clone_url)
        secret = self._own_token(project) if rights.writes else ""
        return Clone(url=project.clone_url, user=project.user, secret=secret) if secret else Clone()

    async def packed(self, project: Project, event: Event) -> AsyncIterator[bytes]:
        """Return the files of an event's commit, packed as adapters/git/pack does.

        Raises:
            NotFound: the commit cannot be had: the reason why.
        """
        try:
            await self._mirrors.fetch(await self._origins.of(project), wanted=event.sha)
        except PawlError as error:
            raise NotFound(error.message, hint=error.hint) from error
        return self._mirrors.pack(project.name, event.sha, ref=event.ref)

    def _own_token(self, project: Project) -> str:
        sealed = project.secrets.get("token", "")
        return self._sealing.open(sealed, f"project:{project.name}:token") if sealed else ""
