"""The event: a normalised fact about a repository, whatever forge or command it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened, as triggers and the `github` context see it.

    Attributes:
        name: the event as written under `on:` (`push`, `pull_request`, `workflow_dispatch`, ...).
        action: the activity type (`opened`), where the event has one.
        ref: the full ref the run is about (`refs/heads/main`, `refs/tags/v1`, `refs/pull/7/merge`).
        sha: the commit the run is about: for a pull request its head, or the merge that was made of it. ""
            in what a forge tells without a commit (`delete`, `issue_comment`): then what `ref` is at.
        base_ref: for a pull request, the branch it wants to go into, short.
        head_ref: for a pull request, the branch it comes from, short; an outsider chose it.
        changed_files: paths changed, relative to the repository's root; None when not known.
        repository: `owner/name`.
        default_branch: short name of the repository's default branch.
        actor: who did it.
        from_fork: whether the commit comes from another repository.
        payload: the body as the forge sends it (`github.event`); everything in it is untrusted.
        inputs: what the person who started the workflow by hand gave, as text by name.
        schedule: the cron line that fired, for `schedule`.
        provider: the forge it came from (`github`), "" for none.
        before: the commit that `ref` was at before a push, all zeros for a new ref; for a pull request the
            commit of its base. "" where it is not known.
        head_sha: for a pull request the commit of its head, at which statuses stand; else "" for `sha`.
            Bitbucket tells only its first digits, here and in `sha`.
        head_repository: for a pull request where it comes from, `owner/name`; "" where it is not known.
        number: of the pull request.
        message: of the commit, as `[skip ci]` is looked for in it.
        author: the commit's, for people.
        server_url: of the forge, for people and `github.server_url`; "" where it is not known.
    """

    name: str
    action: str | None = None
    ref: str = "refs/heads/main"
    sha: str = "0" * 40
    base_ref: str = ""
    head_ref: str = ""
    changed_files: tuple[str, ...] | None = None
    repository: str = "local/repository"
    default_branch: str = "main"
    actor: str = ""
    from_fork: bool = False
    payload: Mapping[str, object] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    schedule: str | None = None
    provider: str = ""
    before: str = ""
    head_sha: str = ""
    head_repository: str = ""
    number: int | None = None
    message: str = ""
    author: str = ""
    server_url: str = ""

    @property
    def branch(self) -> str | None:
        """Return the short branch name of `ref`, or None when it is not a branch."""
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else None

    @property
    def tag(self) -> str | None:
        """Return the short tag name of `ref`, or None when it is not a tag."""
        return self.ref.removeprefix("refs/tags/") if self.ref.startswith("refs/tags/") else None

    @property
    def ref_name(self) -> str:
        """Return `github.ref_name`: the short name of a branch, tag or pull request ref."""
        for prefix in ("refs/heads/", "refs/tags/", "refs/pull/"):
            if self.ref.startswith(prefix):
                return self.ref.removeprefix(prefix)
        return self.ref
