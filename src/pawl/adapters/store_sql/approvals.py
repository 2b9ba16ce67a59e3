"""Environments, and what waits for approval."""

from __future__ import annotations

import sqlalchemy as sa

from pawl.adapters.store_sql import tables_approvals as tables
from pawl.adapters.store_sql.session import Row, Session, Statement, dumps, loads, upsert_into
from pawl.core.model.approvals import Approval, ApprovalState, BranchRule, Environment, same_name
from pawl.core.model.ids import RunId

environments = tables.environments
approvals = tables.approvals
_PROJECT: sa.BindParameter[str] = sa.bindparam("by_project")
_KEY: sa.BindParameter[str] = sa.bindparam("by_key")
_RUN: sa.BindParameter[int] = sa.bindparam("by_run")
_COMMIT = (
    approvals.c.repository == sa.bindparam("by_repository"),
    approvals.c.number == sa.bindparam("by_number"),
    approvals.c.sha == sa.bindparam("by_sha"),
    approvals.c.key == sa.literal_column("''"),
)
_APPROVED = approvals.c.state == sa.literal_column("'approved'")
_ORDER = (approvals.c.run, approvals.c.attempt, approvals.c.asked_at, approvals.c.key)

PUT_ENVIRONMENT = upsert_into(environments, ["project", "key"])
GET_ENVIRONMENT = Statement(
    sa.select(environments).where(environments.c.project == _PROJECT, environments.c.key == _KEY)
)
ENVIRONMENTS = Statement(
    sa.select(environments).where(environments.c.project == _PROJECT).order_by(environments.c.key)
)
REMOVE_ENVIRONMENT = Statement(
    sa.delete(environments).where(environments.c.project == _PROJECT, environments.c.key == _KEY)
)
REMOVE_ENVIRONMENTS = Statement(sa.delete(environments).where(environments.c.project == _PROJECT))
PUT_APPROVAL = upsert_into(approvals, ["run", "attempt", "key"])
OF_RUN = Statement(sa.select(approvals).where(approvals.c.run == _RUN).order_by(*_ORDER))
WAITING = Statement(
    sa.select(approvals).where(sa.text(tables.WAITS)).order_by(*_ORDER).limit(sa.bindparam("most"))
)
DUE = Statement(
    sa.select(approvals)
    .where(sa.text(tables.WAITS), approvals.c.look_at <= sa.bindparam("now"))
    .order_by(approvals.c.look_at, *_ORDER)
    .limit(sa.bindparam("most"))
)
WAITING_FOR = Statement(sa.select(approvals).where(*_COMMIT, sa.text(tables.WAITS)).order_by(*_ORDER))
APPROVED_FOR = Statement(sa.select(approvals).where(*_COMMIT, _APPROVED).order_by(*_ORDER).limit(1))
APPROVED_AUTHOR = Statement(
    sa.select(approvals)
    .where(
        approvals.c.repository == sa.bindparam("by_repository"),
        approvals.c.author == sa.bindparam("by_author"),
        approvals.c.key == sa.literal_column("''"),
        _APPROVED,
    )
    .order_by(*_ORDER)
    .limit(1)
)


def _listed(stored: str) -> tuple[str, ...]:
    read = loads(stored)
    return tuple(str(each) for each in read) if isinstance(read, list) else ()


def _environment(row: Row) -> Environment:
    return Environment(
        project=row[0],
        name=row[2],
        created_at=row[3],
        reviewers=_listed(row[4]),
        prevent_self_review=bool(row[5]),
        wait_minutes=row[6],
        rule=BranchRule(row[7]),
        branches=_listed(row[8]),
        tags=_listed(row[9]),
    )


class SqlEnvironments:
    """`EnvironmentTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def put(self, environment: Environment) -> None:
        """Add or replace an environment."""
        self._session.run(
            PUT_ENVIRONMENT,
            project=environment.project,
            key=same_name(environment.name),
            name=environment.name,
            created_at=environment.created_at,
            reviewers=dumps([*environment.reviewers]),
            prevent_self_review=int(environment.prevent_self_review),
            wait_minutes=environment.wait_minutes,
            rule=environment.rule.value,
            branches=dumps([*environment.branches]),
            tags=dumps([*environment.tags]),
        )

    def get(self, project: str, name: str) -> Environment | None:
        """Return an environment."""
        row = self._session.one(GET_ENVIRONMENT, by_project=project, by_key=same_name(name))
        return None if row is None else _environment(row)

    def of_project(self, project: str) -> tuple[Environment, ...]:
        """Return a project's environments by name."""
        return tuple(map(_environment, self._session.all(ENVIRONMENTS, by_project=project)))

    def remove(self, project: str, name: str) -> None:
        """Remove an environment."""
        self._session.run(REMOVE_ENVIRONMENT, by_project=project, by_key=same_name(name))

    def remove_project(self, project: str) -> None:
        """Remove all environments of a project."""
        self._session.run(REMOVE_ENVIRONMENTS, by_project=project)


def _approval(row: Row) -> Approval:
    return Approval(
        run=RunId(row[0]),
        attempt=row[1],
        environment=row[3],
        repository=row[4],
        state=ApprovalState(row[5]),
        rule=row[6],
        asked_at=row[7],
        number=row[8],
        sha=row[9],
        author=row[10],
        review=bool(row[11]),
        ready_at=row[12],
        expires_at=row[13],
        look_at=row[14],
        decided_at=row[15],
        decided_by=row[16],
        comment=row[17],
    )


class SqlApprovals:
    """`ApprovalTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def put(self, approval: Approval) -> None:
        """Add or replace an approval."""
        self._session.run(
            PUT_APPROVAL,
            run=approval.run,
            attempt=approval.attempt,
            key=same_name(approval.environment),
            environment=approval.environment,
            repository=approval.repository,
            state=approval.state.value,
            rule=approval.rule,
            asked_at=approval.asked_at,
            number=approval.number,
            sha=approval.sha,
            author=approval.author,
            review=int(approval.review),
            ready_at=approval.ready_at,
            expires_at=approval.expires_at,
            look_at=approval.look_at,
            decided_at=approval.decided_at,
            decided_by=approval.decided_by,
            comment=approval.comment,
        )

    def of_run(self, run: RunId) -> tuple[Approval, ...]:
        """Return the approvals of a run."""
        return tuple(map(_approval, self._session.all(OF_RUN, by_run=run)))

    def waiting(self, limit: int) -> tuple[Approval, ...]:
        """Return what waits."""
        return tuple(map(_approval, self._session.all(WAITING, most=limit)))

    def due(self, now: float, limit: int) -> tuple[Approval, ...]:
        """Return what time alone changes something about by now."""
        return tuple(map(_approval, self._session.all(DUE, now=now, most=limit)))

    def waiting_for(self, repository: str, number: int, sha: str) -> tuple[Approval, ...]:
        """Return the runs that wait because of one commit of a request."""
        rows = self._session.all(WAITING_FOR, by_repository=repository, by_number=number, by_sha=sha)
        return tuple(map(_approval, rows))

    def approved_for(self, repository: str, number: int, sha: str) -> Approval | None:
        """Return the approval of a commit of a request."""
        row = self._session.one(APPROVED_FOR, by_repository=repository, by_number=number, by_sha=sha)
        return None if row is None else _approval(row)

    def approved_author(self, repository: str, author: str) -> Approval | None:
        """Return an approval of anything by an author."""
        row = self._session.one(APPROVED_AUTHOR, by_repository=repository, by_author=author)
        return None if row is None else _approval(row)
