"""Environments of projects: what protects them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pawl.core.model.approvals import BranchRule, Environment
from pawl.core.model.errors import NotFound, UsageError
from pawl.core.secrets.names import environment_fault
from pawl.core.workflow.patterns import check_pattern
from pawl.engine.control.audit import note
from pawl.engine.control.desk import Desk
from pawl.engine.control.moment import Moment
from pawl.ports.store import Transaction

MOST_REVIEWERS = 50
MOST_PATTERNS = 50
LONGEST_WAIT = 43_200.0
"""Minutes: 30 days, as GitHub has it."""
_LONGEST_NAME = 200
_APPROVING = frozenset({"user", "admin"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentChange:
    """What is to be different about an environment; None leaves it as it is."""

    reviewers: tuple[str, ...] | None = None
    prevent_self_review: bool | None = None
    wait_minutes: float | None = None
    rule: BranchRule | None = None
    branches: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None


class Environments:
    """The environments of all projects. One that is not here protects nothing."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def of_project(self, project: str) -> tuple[Environment, ...]:
        """Return a project's environments by name.

        Raises:
            NotFound: there is no such project.
        """

        def look(tx: Transaction) -> tuple[Environment, ...]:
            _known(tx, project)
            return tx.environments.of_project(project)

        return await self._desk.read(look)

    async def change(self, project: str, name: str, wanted: EnvironmentChange, *, by: str) -> Environment:
        """Make or change an environment and return it.

        Jobs that wait for it go on waiting for what was asked when they came; who may approve them is looked
        up when somebody does.

        Raises:
            NotFound: there is no such project.
            UsageError: a value is none that can be used.
        """
        _check(name, wanted)

        def work(tx: Transaction, moment: Moment) -> Environment:
            _lock(tx, project)
            _known(tx, project)
            _check_reviewers(tx, wanted.reviewers or ())
            found = tx.environments.get(project, name)
            old = found or Environment(project=project, name=name, created_at=moment.now)
            given = {
                field: value
                for field in EnvironmentChange.__slots__
                if (value := getattr(wanted, field)) is not None
            }
            changed = replace(old, **given)
            if changed.rule is BranchRule.PATTERNS and not (changed.branches or changed.tags):
                raise UsageError(
                    "the rule `patterns` needs patterns", hint="name branches or tags that may deploy"
                )
            tx.environments.put(changed)
            target = f"project {project}, environment {changed.name}"
            note(tx, moment, by=by, action="environment.change", target=target)
            return changed

        return await self._desk.write(work)

    async def remove(self, project: str, name: str, *, by: str) -> None:
        """Remove an environment: from then on it protects nothing.

        Raises:
            NotFound: there is no such project or environment.
        """

        def work(tx: Transaction, moment: Moment) -> None:
            _lock(tx, project)
            _known(tx, project)
            found = tx.environments.get(project, name)
            if found is None:
                raise NotFound(f"project {project} has no environment `{name[:80]}`")
            tx.environments.remove(project, name)
            target = f"project {project}, environment {found.name}"
            note(tx, moment, by=by, action="environment.remove", target=target)

        await self._desk.write(work)


def _lock(tx: Transaction, project: str) -> None:
    """Keep others from changing a project till the transaction's end: or one change would undo another."""
    tx.keys.get(f"project:{project}")


def _known(tx: Transaction, project: str) -> None:
    if tx.projects.get(project) is None:
        raise NotFound(f"there is no project `{project[:80]}`", hint="`pawl project list` shows them")


def _check_reviewers(tx: Transaction, reviewers: tuple[str, ...]) -> None:
    """Return when each is the name of a token that can approve: a slip of the pen would lock everybody out.

    Raises:
        UsageError: one is not.
    """
    good = {token.name for token in tx.tokens.all() if token.scope in _APPROVING and not token.revoked}
    unknown = [each for each in reviewers if each not in good]
    if unknown:
        raise UsageError(
            f"no token of scope user or admin is called `{unknown[0]}`",
            hint="`pawl token list` shows them; reviewers are named as their tokens are called",
        )


def _check(name: str, wanted: EnvironmentChange) -> None:
    """Return when all values can be used.

    Raises:
        UsageError: one cannot.
    """
    if fault := environment_fault(name):
        raise UsageError(fault)
    if wanted.wait_minutes is not None and not 0 <= wanted.wait_minutes <= LONGEST_WAIT:
        raise UsageError(f"an environment asks to wait from 0 to {LONGEST_WAIT:g} minutes")
    reviewers = wanted.reviewers or ()
    if len(reviewers) > MOST_REVIEWERS or not all(map(_is_name, reviewers)):
        raise UsageError(
            f"an environment has at most {MOST_REVIEWERS} reviewers",
            hint="name them as their tokens are called",
        )
    _check_patterns([*(wanted.branches or ()), *(wanted.tags or ())])


def _is_name(text: str) -> bool:
    return bool(text) and text.isprintable() and len(text) <= _LONGEST_NAME


def _check_patterns(patterns: Iterable[str]) -> None:
    listed = list(patterns)
    if len(listed) > MOST_PATTERNS:
        raise UsageError(f"an environment has at most {MOST_PATTERNS} patterns")
    for text in listed:
        for problem in check_pattern(text, "ref"):
            if problem.is_error:
                raise UsageError(f"the pattern `{text[:80]}` is wrong: {problem.message}")
