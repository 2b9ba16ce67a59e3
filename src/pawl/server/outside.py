"""What a server needs of the world outside for its intake: keys, forges, git."""

from __future__ import annotations

from collections.abc import Mapping

from pawl.adapters.forge_bitbucket import BitbucketForge
from pawl.adapters.forge_generic import GenericForge
from pawl.adapters.forge_gitea import GiteaForge
from pawl.adapters.forge_github import GitHubForge
from pawl.adapters.forge_gitlab import GitLabForge
from pawl.adapters.git.mirror import Access, GitMirrors
from pawl.adapters.git.mirror.origins import SAFE_PROTOCOLS
from pawl.adapters.http_out import Allowed, HttpSender
from pawl.adapters.mail import SmtpPostman, read_account
from pawl.adapters.sealing import FileSealing
from pawl.core.model.forge import ForgeKind
from pawl.ports.clock import Clock
from pawl.ports.forge import Forge
from pawl.ports.outgoing import Sender
from pawl.server.intake import Outside
from pawl.server.settings import ServerSettings

MIRRORS = "mirrors"


class Reached:
    """The adapters of one server that reach outside; `aclose` lets go of what they hold."""

    def __init__(self, settings: ServerSettings, clock: Clock) -> None:
        """Take the settings.

        Raises:
            UsageError: the key's file can be read by others, or holds none; or `reach` names what is no host,
                or the settings of mail are wrong.
            InfrastructureError: it cannot be read or made.
        """
        self.sender = HttpSender(Allowed.of(settings.reach))
        self.postman = _postman(settings)
        self._mirrors = GitMirrors(settings.folder / MIRRORS, access=_access(settings))
        self.outside = Outside(
            sealing=FileSealing(settings.keys),
            forges=_forges(self.sender, clock),
            mirrors=self._mirrors,
        )

    async def aclose(self) -> None:
        """Let go of connections and processes."""
        await self._mirrors.close()
        await self.sender.aclose()


def _postman(settings: ServerSettings) -> SmtpPostman:
    if not settings.mail_server:
        return SmtpPostman(None)
    return SmtpPostman(
        read_account(
            settings.mail_server, settings.mail_from, settings.mail_user, settings.mail_password_file
        )
    )


def _access(settings: ServerSettings) -> Access:
    plain = ("http",) if settings.plain_git else ()
    return Access(protocols=(*SAFE_PROTOCOLS, *plain))


def _forges(sender: Sender, clock: Clock) -> Mapping[ForgeKind, Forge]:
    forges: tuple[Forge, ...] = (
        GitHubForge(sender, clock),
        GitLabForge(sender, clock),
        GiteaForge(sender, clock),
        BitbucketForge(sender, clock),
        GenericForge(),
    )
    return {forge.kind: forge for forge in forges}
