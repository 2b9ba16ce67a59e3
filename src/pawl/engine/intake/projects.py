"""Projects: the repositories that a server works for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from pawl.core.model.errors import Conflict, NotFound, UsageError
from pawl.core.model.forge import ForgeKind
from pawl.core.model.projects import ForkPolicy, Project
from pawl.core.model.refs import ref_fault, repository_fault
from pawl.engine.control import audit
from pawl.engine.intake.desk import PROJECTS, IntakeDesk, scope_of
from pawl.ports.store import Transaction

SECRETS = frozenset({"hook", "token", "app_key"})
_SHORTEST_SECRET = 16
_LONGEST_SECRET = 16_384
_LONGEST_URL = 2000
_POLL = (30.0, 7 * 86_400.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectChange:
    """What is to be different about a project; None leaves it as it is.

    Attributes:
        secrets: values by name (`hook`, `token`, `app_key`); "" takes one away.
    """

    forge: ForgeKind | None = None
    clone_url: str | None = None
    default_branch: str | None = None
    api_url: str | None = None
    web_url: str | None = None
    user: str | None = None
    app_id: str | None = None
    context: str | None = None
    forks: ForkPolicy | None = None
    poll_seconds: float | None = None
    active: bool | None = None
    share_token: bool | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


class Projects:
    """The projects of a server."""

    def __init__(self, desk: IntakeDesk) -> None:
        self._desk = desk

    async def create(self, name: str, wanted: ProjectChange, *, by: str) -> tuple[Project, str]:
        """Store a project; return it and the secret of its webhook, which is shown nowhere else.

        A secret is made up where none was given.

        Raises:
            UsageError: a value is none that can be used.
            Conflict: there is a project of that name.
        """
        if fault := repository_fault(name):
            hint = "write it as the forge does: owner/name"
            raise UsageError(f"the project `{name[:80]}` {fault}", hint=hint)
        forge, url = wanted.forge, wanted.clone_url
        if forge is None or url is None:
            raise UsageError("a project needs a forge and a clone URL", hint="say both")
        hook = wanted.secrets.get("hook") or self._desk.randomness.token(32)
        wanted = replace(wanted, secrets={**wanted.secrets, "hook": hook})
        new = Project(name=name, forge=forge, clone_url=url, created_at=self._desk.clock.now())
        project = self._changed(new, wanted)

        def work(tx: Transaction) -> None:
            if _locked(tx, name) is not None:
                raise Conflict(f"there is a project {name}", hint="change it, or remove it first")
            self._store(tx, project, by, "project.create")

        await self._desk.write(work)
        return project, hook

    async def get(self, name: str) -> Project:
        """Return a project.

        Raises:
            NotFound: there is none of that name.
        """
        found = await self._desk.read(lambda tx: tx.projects.get(name))
        if found is None:
            raise _unknown(name)
        return found

    async def all(self) -> tuple[Project, ...]:
        """Return all projects by name."""
        return await self._desk.read(lambda tx: tx.projects.all())

    async def change(self, name: str, wanted: ProjectChange, *, by: str) -> Project:
        """Change a project and return it.

        Raises:
            NotFound: there is none of that name.
            UsageError: a value is none that can be used.
        """

        def work(tx: Transaction) -> Project:
            found = _locked(tx, name)
            if found is None:
                raise _unknown(name)
            changed = self._changed(found, wanted)
            self._store(tx, changed, by, "project.change")
            return changed

        return await self._desk.write(work)

    async def remove(self, name: str, *, by: str) -> None:
        """Remove a project with its secrets, variables, environments and destinations; its runs stay.

        Raises:
            NotFound: there is none of that name.
        """

        def work(tx: Transaction) -> None:
            if _locked(tx, name) is None:
                raise _unknown(name)
            tx.projects.remove(name)
            for each in tx.destinations.of_project(name):
                if each.project == name:
                    tx.destinations.remove(each.id)
            tx.secrets.remove_project(name)
            tx.variables.remove_project(name)
            tx.environments.remove_project(name)
            tx.keys.put(f"poll:{name}", None, time=self._desk.clock.now())
            self._note(tx, name, by, "project.remove")

        await self._desk.write(work)

    def _changed(self, project: Project, wanted: ProjectChange) -> Project:
        _check(project.name, wanted)
        names = [name for name in ProjectChange.__slots__ if name != "secrets"]
        given = {name: value for name in names if (value := getattr(wanted, name)) is not None}
        sealed = {
            name: self._desk.sealing.seal(value, scope_of(project.name, name))
            for name, value in wanted.secrets.items()
            if value
        }
        kept = {name: value for name, value in project.secrets.items() if name not in wanted.secrets}
        return replace(project, **given, secrets={**kept, **sealed})

    def _store(self, tx: Transaction, project: Project, by: str, action: str) -> None:
        tx.projects.put(project)
        self._note(tx, project.name, by, action)

    def _note(self, tx: Transaction, name: str, by: str, action: str) -> None:
        audit.note(tx, self._desk.clock.now(), by=by, action=action, target=f"project {name}")
        tx.notify(PROJECTS)


def _locked(tx: Transaction, name: str) -> Project | None:
    """Return a project, kept from others till the end: or one change would undo another."""
    tx.keys.get(f"project:{name}")
    return tx.projects.get(name)


def _unknown(name: str) -> NotFound:
    return NotFound(f"there is no project `{name[:80]}`", hint="`pawl project list` shows them")


def _check(name: str, wanted: ProjectChange) -> None:
    """Return when all values can be used.

    Raises:
        UsageError: one cannot.
    """
    for what, url in (("clone", wanted.clone_url), ("api", wanted.api_url), ("web", wanted.web_url)):
        if url:
            _check_url(what, url)
    if wanted.default_branch is not None and (fault := ref_fault(wanted.default_branch)):
        raise UsageError(f"the default branch of {name} {fault}")
    least, most = _POLL
    if wanted.poll_seconds and not least <= wanted.poll_seconds <= most:
        raise UsageError(f"a project is polled every {least:.0f} to {most:.0f} seconds, or never (0)")
    for text in (wanted.user, wanted.app_id, wanted.context):
        if text is not None and not (text.isprintable() and len(text) <= _LONGEST_URL):
            raise UsageError(f"a value of project {name} is too long, or cannot be shown")
    for secret, value in wanted.secrets.items():
        if secret not in SECRETS:
            raise UsageError(f"a project has no secret `{secret[:40]}`", hint=", ".join(sorted(SECRETS)))
        if value and not _SHORTEST_SECRET <= len(value) <= _LONGEST_SECRET:
            raise UsageError(
                f"the secret `{secret}` has {len(value)} characters: at least {_SHORTEST_SECRET}"
            )


def _check_url(what: str, url: str) -> None:
    hint = "write it as https://HOST/PATH; what it takes to get in is a secret of the project"
    if len(url) > _LONGEST_URL or not url.isprintable() or " " in url or "://" not in url:
        raise UsageError(f"the {what} URL is none", hint=hint)
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError as error:
        raise UsageError(f"the {what} URL is none: {error}", hint=hint) from None
    if password or (parts.username and parts.scheme != "ssh"):
        raise UsageError(f"the {what} URL holds a user or a password", hint=hint)
    if not parts.hostname and parts.scheme != "file":
        raise UsageError(f"the {what} URL names no host", hint=hint)
