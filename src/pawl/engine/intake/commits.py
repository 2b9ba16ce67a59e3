"""The commits that events are about: fetched, named in full, compared."""

from __future__ import annotations

from dataclasses import replace

from pawl.core.model.errors import NotFound
from pawl.core.model.events import Event
from pawl.core.model.projects import DeliveryRecord, Project
from pawl.core.model.refs import is_commit
from pawl.engine.intake.desk import IntakeDesk

_REQUESTS = frozenset({"pull_request", "pull_request_target"})
_ZEROS = "0" * 40
_LOOK_BACK = 20
"""Heads of a ref that are looked through for the one before a commit."""


class Commits:
    """Looks commits up in the mirrors of a server."""

    def __init__(self, desk: IntakeDesk) -> None:
        self._desk = desk

    async def settle(self, project: Project, event: Event) -> Event:
        """Return the event with the full id of its commit, which is in the mirror by then.

        Raises:
            NotFound: the commit is not there, or is no more.
            TransientError, Denied, UsageError: it cannot be fetched.
        """
        origin = await self._desk.origin(project)
        if is_commit(event.sha):
            await self._desk.mirrors.fetch(origin, wanted=event.sha)
            return event
        await self._desk.mirrors.fetch(origin)
        refs = [event.ref]
        # Never for `pull_request_target`: what it runs has the base's rights, so it is the base's or nothing.
        if event.name == "pull_request" and not event.from_fork:
            refs.append(f"refs/heads/{event.head_ref}")
        if not event.sha.strip("0") and event.name not in _REQUESTS:
            refs.append(f"refs/heads/{event.default_branch}")
        for ref in refs:
            found = await self._desk.mirrors.resolve(project.name, ref)
            # Bitbucket tells the first digits only; what tells none is about whatever the ref is at.
            if found is not None and (not event.sha.strip("0") or found.startswith(event.sha)):
                head = found if event.name == "pull_request" else event.head_sha
                return replace(event, sha=found, head_sha=head)
        raise NotFound(f"{refs[0]} is not at {event.sha or 'any commit'}: it was moved or removed")

    async def with_changes(self, project: Project, event: Event) -> Event:
        """Return the event with the files it changed, as git tells; else with those that the forge told."""
        mirrors = self._desk.mirrors
        if event.name in _REQUESTS:
            head = event.head_sha if is_commit(event.head_sha) else event.sha
            if head != event.sha:
                await mirrors.fetch(await self._desk.origin(project), wanted=head)
            base = event.before if is_commit(event.before) else None
            base = base or await mirrors.resolve(project.name, f"refs/heads/{event.base_ref}")
            if base is None:
                return event
            files = await mirrors.changed_files(project.name, base, head, merge_base=True)
        elif event.name == "push" and event.branch is not None:
            before = event.before if is_commit(event.before) else _ZEROS
            files = await mirrors.changed_files(project.name, before, event.sha, merge_base=False)
        else:
            return event
        return event if files is None else replace(event, changed_files=files)

    async def with_message(self, project: Project, event: Event) -> Event:
        """Return a pull request's event with the message of its head, which not every forge tells.

        Raises:
            NotFound: the head is no more.
            TransientError, Denied, UsageError: it cannot be fetched.
        """
        if event.name != "pull_request" or event.message:
            return event
        head = event.head_sha if is_commit(event.head_sha) else event.sha
        if head != event.sha:
            await self._desk.mirrors.fetch(await self._desk.origin(project), wanted=head)
        return replace(event, message=await self._desk.mirrors.message(project.name, head))

    async def is_outdated(self, event: Event, delivery: DeliveryRecord) -> bool:
        """Return whether a delivery that came before told of a newer commit of the same ref (F32)."""
        sha = event.sha if event.name == "push" else event.head_sha
        if event.name not in {"push", "pull_request"} or not is_commit(sha) or delivery.replay_of:
            return False
        heads = await self._desk.read(lambda tx: tx.heads.of_ref(delivery.project, event.ref, _LOOK_BACK))
        if any(head.sha == event.before for head in heads) and event.name == "push":
            return False  # it was pushed on top of, or in place of, one that was told before
        # The last of them is enough: what comes before it is either its ancestor or was replaced.
        last = next((head for head in heads if head.sha != sha and 0 < head.delivery < delivery.id), None)
        mirrors, project = self._desk.mirrors, delivery.project
        if last is None or await mirrors.resolve(project, last.sha) is None:
            return False
        return await mirrors.is_ancestor(project, sha, last.sha)
