"""Where a mirror may be fetched from, and how its credentials reach git: by its environment only."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from pawl.adapters.git.calling import Rules
from pawl.adapters.git.mirror.limits import MirrorLimits
from pawl.core.model.errors import UsageError
from pawl.ports.mirrors import Origin

SAFE_PROTOCOLS = ("https", "ssh")

_LONGEST = 2048
_ODD = re.compile(r"[\x00-\x20\x7f\\]")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_SSH_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
# What goes between this machine and the host is the operator's to say.
_PASSED_ON = ("HTTPS_PROXY", "https_proxy", "http_proxy", "NO_PROXY", "no_proxy", "SSH_AUTH_SOCK")
_SSH = (
    "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oConnectTimeout=20 -oServerAliveInterval=15"
    " -oServerAliveCountMax=4 -oForwardAgent=no -oClearAllForwardings=yes -oPermitLocalCommand=no"
)
_FETCHING = {
    "fetch.recurseSubmodules": "false",
    "fetch.writeCommitGraph": "false",
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1",
    "protocol.version": "2",
    "transfer.bundleURI": "false",
    "transfer.fsckObjects": "true",
    # Faults that old, harmless repositories have and that break nothing (Gitaly ignores the same ones).
    "fetch.fsck.badTimezone": "ignore",
    "fetch.fsck.missingSpaceBeforeDate": "ignore",
    "fetch.fsck.zeroPaddedFilemode": "ignore",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How this machine reaches git hosts.

    Attributes:
        protocols: that may be fetched by; `http` and `file` only where an operator says so.
        ca_file: certificates of the authorities that https hosts are trusted by; else the machine's.
        ssh_key, ssh_known_hosts: files for ssh; else those of the account that Pawl runs as.
    """

    protocols: tuple[str, ...] = SAFE_PROTOCOLS
    ca_file: Path | None = None
    ssh_key: Path | None = None
    ssh_known_hosts: Path | None = None


def check_url(url: str, access: Access) -> SplitResult:
    """Return the parts of a URL that may be fetched from.

    Raises:
        UsageError: it may not.
    """
    parts = _split(url)
    if parts is None:
        raise UsageError(
            "The repository's URL cannot be read", hint="write it as `https://host/owner/name.git`"
        )
    if parts.scheme not in access.protocols:
        raise UsageError(
            f"The repository's URL begins with `{parts.scheme[:20]}:`, which is not fetched from",
            hint=f"use {' or '.join(f'`{each}:`' for each in access.protocols)}",
        )
    if parts.scheme == "file":
        if parts.netloc or not parts.path.startswith("/"):
            raise UsageError("The repository's URL is no `file:///absolute/path`")
        return parts
    if _HOST.fullmatch(_host(parts)) is None or not parts.path.strip("/"):
        raise UsageError("The repository's URL names no host and path")
    if parts.password is not None or (parts.username is not None and not _is_ssh_user(parts)):
        raise UsageError(
            "The repository's URL holds a user or a password", hint="give them beside the URL, not in it"
        )
    return parts


def rules_for(origin: Origin, access: Access, limits: MirrorLimits) -> Rules:
    """Return by what rules git fetches from an origin.

    Raises:
        UsageError: its URL may not be fetched from.
    """
    parts = check_url(origin.url, access)
    settings = {**_FETCHING, "http.lowSpeedTime": str(max(1, round(limits.stall)))}
    if access.ca_file is not None:
        settings["http.sslCAInfo"] = str(access.ca_file)
    if origin.secret and parts.scheme in ("http", "https"):
        settings[f"http.{site_of(parts)}/.extraHeader"] = authorization(origin)
    return Rules(
        settings=settings,
        variables=_variables(access),
        protocols=":".join(access.protocols),
        seconds=limits.seconds,
    )


def authorization(origin: Origin) -> str:
    """Return the header of HTTP basic authentication."""
    told = base64.b64encode(f"{origin.user or 'git'}:{origin.secret}".encode()).decode()
    return f"Authorization: Basic {told}"


def site_of(parts: SplitResult) -> str:
    """Return scheme, host and port, as they stand before a path."""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _split(url: str) -> SplitResult | None:
    if len(url) > _LONGEST or _ODD.search(url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return None if parts.query or parts.fragment or url.endswith(("?", "#")) else parts


def _host(parts: SplitResult) -> str:
    host = parts.netloc.rpartition("@")[2]
    return host if parts.port is None else host.rpartition(":")[0]


def _is_ssh_user(parts: SplitResult) -> bool:
    return parts.scheme == "ssh" and _SSH_USER.fullmatch(parts.username or "") is not None


def _variables(access: Access) -> Mapping[str, str]:
    files = {"-oIdentityFile": access.ssh_key, "-oUserKnownHostsFile": access.ssh_known_hosts}
    given = [f"{option}={_quoted(str(path))}" for option, path in files.items() if path is not None]
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**kept, "GIT_SSH_COMMAND": " ".join((_SSH, *given)), "GIT_SSH_VARIANT": "ssh"}


def _quoted(text: str) -> str:
    """Return one word of the shell that git starts ssh by."""
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"
