"""Environments, and what waits for approval."""

from __future__ import annotations

from typing import Protocol

from pawl.core.model.approvals import Approval, Environment
from pawl.core.model.ids import RunId


class EnvironmentTable(Protocol):
    """The environments of projects. Names that differ in case alone are one name."""

    def put(self, environment: Environment) -> None:
        """Add or replace an environment."""

    def get(self, project: str, name: str) -> Environment | None:
        """Return an environment."""

    def of_project(self, project: str) -> tuple[Environment, ...]:
        """Return a project's environments by name."""

    def remove(self, project: str, name: str) -> None:
        """Remove an environment; none is no error."""

    def remove_project(self, project: str) -> None:
        """Remove all environments of a project."""


class ApprovalTable(Protocol):
    """Approvals by run, attempt of the run, and environment. They go with their run."""

    def put(self, approval: Approval) -> None:
        """Add or replace an approval."""

    def of_run(self, run: RunId) -> tuple[Approval, ...]:
        """Return the approvals of a run by attempt, in the order in which they were asked for."""

    def waiting(self, limit: int) -> tuple[Approval, ...]:
        """Return what waits, by run."""

    def due(self, now: float, limit: int) -> tuple[Approval, ...]:
        """Return what waits and time alone changes something about by `now`, longest due first."""

    def waiting_for(self, repository: str, number: int, sha: str) -> tuple[Approval, ...]:
        """Return the whole runs that wait because of one commit of a request, by run."""

    def approved_for(self, repository: str, number: int, sha: str) -> Approval | None:
        """Return the first approval of a whole run for that commit of a request."""

    def approved_author(self, repository: str, author: str) -> Approval | None:
        """Return the first approval of a whole run for a request of that author."""
