"""Tokens of GitHub Apps. Source: GitHub documentation, "Authenticating with a GitHub App"."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pawl.adapters.forge_github.api import Api, repository_path
from pawl.core.model.errors import TransientError, UsageError
from pawl.core.model.forge import ForgeAccess, ForgeToken

USER = "x-access-token"
"""The name that goes with an installation's token in git's basic authentication."""

_LIFE_OF_CLAIM = 540
"""Seconds that a signed claim is good; GitHub takes ten minutes at most."""
_BEHIND = 60
"""Seconds that GitHub's clock may be behind ours."""
_EARLY = 300.0
"""Seconds before its end at which a token is made anew."""
_LEVELS = ("read", "write", "admin")
_GRANTABLE = frozenset(
    {
        *("actions", "attestations", "checks", "contents", "deployments", "discussions", "issues"),
        *("packages", "pages", "pull_requests", "repository_projects", "security_events", "statuses"),
    }
)
"""Permissions of workflows that an installation's token can have: not `id-token`, not `models`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An App's installation at a repository: its number, and what its owner allowed."""

    number: int
    permissions: Mapping[str, str]


class Apps:
    """Makes installation tokens. Those of the server itself are kept until shortly before their end."""

    def __init__(self, api: Api) -> None:
        """Take what calls GitHub."""
        self._api = api
        self._own: dict[tuple[str, str, str], ForgeToken] = {}

    async def own_token(self, access: ForgeAccess) -> str:
        """Return a token that may write check runs of the repository; raises as `Forge.report`."""
        key = _key_of(access)
        kept = self._own.get(key)
        now = self._api.now()
        if kept is None or kept.expires_at is None or kept.expires_at - _EARLY < now:
            kept = self._own[key] = await self._made(access, {"checks": "write"}, now)
        return kept.secret

    def forget(self, access: ForgeAccess) -> None:
        """Make a new token of the server's the next time."""
        self._own.pop(_key_of(access), None)

    async def job_token(self, access: ForgeAccess, permissions: Mapping[str, str], now: float) -> ForgeToken:
        """Return a token of its own for a job: for this repository, with at most these permissions.

        What the App was not allowed is left out. With nothing left it can read the repository's name.
        """
        claim = signed_claim(access, now)
        installation = await self._installation(access, claim)
        allowed = narrowed(permissions, installation.permissions)
        return await self._ask(access, claim, installation, allowed or {"metadata": "read"})

    async def _made(self, access: ForgeAccess, permissions: Mapping[str, str], now: float) -> ForgeToken:
        claim = signed_claim(access, now)
        return await self._ask(access, claim, await self._installation(access, claim), permissions)

    async def _installation(self, access: ForgeAccess, claim: str) -> Installation:
        what = f"asking for the App's installation at {access.repository}"
        reply = await self._api.call(
            access, claim, "GET", f"{repository_path(access)}/installation", what=what
        )
        number, permissions = reply.member("id"), reply.member("permissions")
        if not isinstance(number, int) or not isinstance(permissions, dict):
            raise TransientError(f"{what} was answered without an id and permissions")
        return Installation(number=number, permissions=permissions)

    async def _ask(
        self, access: ForgeAccess, claim: str, installation: Installation, permissions: Mapping[str, str]
    ) -> ForgeToken:
        what = f"asking for a token of the App at {access.repository}"
        path = f"/app/installations/{installation.number}/access_tokens"
        body = {"repositories": [access.repository.rpartition("/")[2]], "permissions": dict(permissions)}
        reply = await self._api.call(access, claim, "POST", path, body, what=what)
        secret, ends, given = reply.member("token"), reply.member("expires_at"), reply.member("permissions")
        if not isinstance(secret, str) or not secret or not isinstance(ends, str):
            raise TransientError(f"{what} was answered without a token and its end")
        try:
            expires_at = datetime.fromisoformat(ends).timestamp()
        except ValueError:
            raise TransientError(f"{what} was answered with an end that is no time") from None
        told = {str(name): str(level) for name, level in given.items()} if isinstance(given, dict) else {}
        return ForgeToken(user=USER, secret=secret, expires_at=expires_at, permissions=told)


def _key_of(access: ForgeAccess) -> tuple[str, str, str]:
    return access.api_url, access.app_id, access.repository


def narrowed(wanted: Mapping[str, str], allowed: Mapping[str, str]) -> dict[str, str]:
    """Return the permissions that are both wanted by a workflow and allowed to an App, in GitHub's names."""
    found = {}
    for name, level in wanted.items():
        plain = name.replace("-", "_")
        if plain in _GRANTABLE and level in _LEVELS and allowed.get(plain) in _LEVELS:
            found[plain] = min(level, allowed[plain], key=_LEVELS.index)
    return found


def signed_claim(access: ForgeAccess, now: float) -> str:
    """Return the JSON web token by which an App says who it is (RS256).

    Raises:
        UsageError: the key is no RSA key in PEM form.
    """
    head = {"alg": "RS256", "typ": "JWT"}
    claim = {"iat": int(now) - _BEHIND, "exp": int(now) + _LIFE_OF_CLAIM - _BEHIND, "iss": access.app_id}
    text = f"{_packed(head)}.{_packed(claim)}"
    signature = _key(access.app_key).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{_base64(signature)}"


def _key(pem: str) -> rsa.RSAPrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise UsageError(
            "the GitHub App's key is no RSA key in PEM form without a password",
            hint="give the file that GitHub made under `Private keys` of the App",
        )
    return key


def _packed(value: Mapping[str, object]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
