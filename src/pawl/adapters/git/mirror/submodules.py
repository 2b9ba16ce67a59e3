"""Submodules of a commit: which there are and where they come from. `git submodule` is never run.

Their URLs are an outsider's words. They are fetched like any other repository, into mirrors of their own,
from the host that the repository itself comes from, and from others only where an operator allows them.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from urllib.parse import urlsplit

from pawl.adapters.git.calling import Git
from pawl.adapters.git.mirror.origins import Access, check_url, site_of
from pawl.adapters.git.objects import SUBMODULE, entries
from pawl.core.model.errors import TooLarge, UsageError
from pawl.ports.mirrors import Origin

_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Submodule:
    """A submodule of a commit: where it stands, at which commit, and from where it is fetched."""

    path: str
    sha: str
    origin: Origin


async def submodules_of(
    git: Git, sha: str, origin: Origin, *, access: Access, hosts: tuple[str, ...]
) -> tuple[Submodule, ...]:
    """Return the submodules of a commit that `.gitmodules` gives a URL for.

    Raises:
        TooLarge: there are too many.
        UsageError: a URL may not be fetched from.
        GitError: the commit cannot be read.
    """
    links = await _links(git, sha)
    if not links:
        return ()
    urls = await _urls(git, sha)
    return tuple(
        Submodule(path=path, sha=link, origin=_origin(urls[path], path, origin, access, hosts))
        for path, link in links.items()
        if path in urls
    )


async def _links(git: Git, sha: str) -> dict[str, str]:
    links = {}
    async with aclosing(entries(git, "-r", sha)) as listed:
        async for entry in listed:
            if entry.mode == SUBMODULE:
                links[entry.path] = entry.id
            if len(links) > _MOST:
                raise TooLarge(f"The commit has more than {_MOST} submodules")
    return links


async def _urls(git: Git, sha: str) -> dict[str, str]:
    """Return the URLs of `.gitmodules` by path."""
    told = await git.line(
        "config", f"--blob={sha}:.gitmodules", "-z", "--get-regexp", r"^submodule\..*\.(path|url)$"
    )
    paths: dict[str, str] = {}
    urls: dict[str, str] = {}
    for entry in told.split("\0"):
        name, _, value = entry.partition("\n")
        section, _, key = name.rpartition(".")
        (paths if key == "path" else urls)[section] = value
    return {path: urls[section] for section, path in paths.items() if section in urls}


def _origin(url: str, path: str, parent: Origin, access: Access, hosts: tuple[str, ...]) -> Origin:
    whole = _joined(parent.url, url) if url.startswith(("./", "../")) else url
    try:
        parts = check_url(whole, access)
    except UsageError as error:
        raise UsageError(f"The submodule `{path[:200]}`: {error.message}", hint=error.hint) from None
    own = urlsplit(parent.url)
    is_own = site_of(parts) == site_of(own)
    if not is_own and (parts.hostname or "") not in hosts:
        raise UsageError(
            f"The submodule `{path[:200]}` comes from another host: `{parts.hostname or parts.scheme}`",
            hint="use a URL that begins with `../`, or have that host allowed for submodules",
        )
    # Credentials are for the host that they were given for.
    user, secret = (parent.user, parent.secret) if is_own else ("", "")
    return Origin(name=f"submodule:{whole}", url=whole, user=user, secret=secret)


def _joined(base: str, relative: str) -> str:
    """Return a URL relative to a repository's, as git reckons: `../` leaves the last part of the path out."""
    site, slash, path = base.rstrip("/").partition("://")
    host, _, rest = path.partition("/")
    parts = rest.split("/") if rest else []
    while relative.startswith(("./", "../")):
        if relative.startswith("../") and parts:
            parts.pop()
        relative = relative.partition("/")[2]
    return f"{site}{slash}{'/'.join((host, *parts, relative))}"
