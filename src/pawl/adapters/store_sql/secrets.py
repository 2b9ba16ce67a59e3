"""Secrets, variables, and which attempt was given which secret."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from pawl.adapters.store_sql import tables
from pawl.adapters.store_sql.session import Built, Row, Session, Statement, insert_of, upsert_into
from pawl.core.model.ids import JobId, RunId
from pawl.core.model.records import AttemptRef
from pawl.core.model.secrets import SecretRecord, SecretUse, ValueScope, VariableRecord

secrets = tables.secrets
variables = tables.variables
uses = tables.secret_uses
_KEYS = ("project", "environment", "name")
_PROJECT: sa.BindParameter[str] = sa.bindparam("by_project")
_ENVIRONMENT: sa.BindParameter[str] = sa.bindparam("by_environment")
_NAME: sa.BindParameter[str] = sa.bindparam("by_name")


def _order(table: sa.Table) -> list[sa.Column[str]]:
    return [table.c[name] for name in _KEYS]


def _one(table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
    return (table.c.project == _PROJECT, table.c.environment == _ENVIRONMENT, table.c.name == _NAME)


def _of(table: sa.Table) -> Built:
    own = sa.and_(table.c.project == _PROJECT, table.c.environment.in_(("", _ENVIRONMENT)))
    everybodys = sa.and_(table.c.project == sa.literal(""), table.c.environment == sa.literal(""))
    return sa.select(table).where(sa.or_(everybodys, own)).order_by(*_order(table))


def _behind(table: sa.Table) -> sa.ColumnElement[bool]:
    project, environment, name = _order(table)
    return sa.or_(
        project > _PROJECT,
        sa.and_(
            project == _PROJECT,
            sa.or_(environment > _ENVIRONMENT, sa.and_(environment == _ENVIRONMENT, name > _NAME)),
        ),
    )


PUT_SECRET = upsert_into(secrets, _KEYS)
GET_SECRET = Statement(sa.select(secrets).where(*_one(secrets)))
SECRETS_OF = Statement(_of(secrets))
SECRETS_AFTER = Statement(
    sa.select(secrets).where(_behind(secrets)).order_by(*_order(secrets)).limit(sa.bindparam("most"))
)
REMOVE_SECRET = Statement(sa.delete(secrets).where(*_one(secrets)))
REMOVE_SECRETS = Statement(sa.delete(secrets).where(secrets.c.project == _PROJECT))
PUT_VARIABLE = upsert_into(variables, _KEYS)
VARIABLES_OF = Statement(_of(variables))
ALL_VARIABLES = Statement(sa.select(variables).order_by(*_order(variables)))
REMOVE_VARIABLE = Statement(sa.delete(variables).where(*_one(variables)))
REMOVE_VARIABLES = Statement(sa.delete(variables).where(variables.c.project == _PROJECT))
ADD_USE = Statement(
    lambda kind: insert_of(kind, uses).inline().on_conflict_do_nothing(), [column.name for column in uses.c]
)
USES_OF_NAME = Statement(
    sa.select(uses)
    .where(uses.c.name == _NAME)
    .order_by(uses.c.used_at.desc(), uses.c.run.desc(), uses.c.job, uses.c.attempt)
    .limit(sa.bindparam("most"))
)
USES_OF_RUN = Statement(
    sa.select(uses)
    .where(uses.c.run == sa.bindparam("by_run"))
    .order_by(uses.c.used_at, uses.c.job, uses.c.attempt, uses.c.name)
)
LAST_USES = Statement(
    sa.select(uses.c.project, uses.c.environment, uses.c.name, sa.func.max(uses.c.used_at)).group_by(
        uses.c.project, uses.c.environment, uses.c.name
    )
)
PURGE_USES = Statement(sa.delete(uses).where(uses.c.used_at < sa.bindparam("before")))


def _by(scope: ValueScope, name: str) -> dict[str, str]:
    return {"by_project": scope.project, "by_environment": scope.environment, "by_name": name}


def _secret(row: Row) -> SecretRecord:
    return SecretRecord(
        scope=ValueScope(project=row[0], environment=row[1]),
        name=row[2],
        sealed=row[3],
        version=row[4],
        updated_at=row[5],
        updated_by=row[6],
    )


def _variable(row: Row) -> VariableRecord:
    return VariableRecord(
        scope=ValueScope(project=row[0], environment=row[1]),
        name=row[2],
        value=row[3],
        updated_at=row[4],
        updated_by=row[5],
    )


def _use(row: Row) -> SecretUse:
    return SecretUse(
        attempt=AttemptRef(run=RunId(row[0]), job=JobId(row[1]), attempt=row[2]),
        name=row[3],
        version=row[4],
        scope=ValueScope(project=row[5], environment=row[6]),
        used_at=row[7],
    )


class SqlSecrets:
    """`SecretTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def put(self, secret: SecretRecord) -> None:
        """Add or replace a secret."""
        self._session.run(
            PUT_SECRET,
            project=secret.scope.project,
            environment=secret.scope.environment,
            name=secret.name,
            sealed=secret.sealed,
            version=secret.version,
            updated_at=secret.updated_at,
            updated_by=secret.updated_by,
        )

    def get(self, scope: ValueScope, name: str) -> SecretRecord | None:
        """Return a secret."""
        row = self._session.one(GET_SECRET, **_by(scope, name))
        return None if row is None else _secret(row)

    def of(self, project: str, environment: str = "") -> tuple[SecretRecord, ...]:
        """Return what the jobs of a project have."""
        rows = self._session.all(SECRETS_OF, by_project=project, by_environment=environment)
        return tuple(map(_secret, rows))

    def after(self, scope: ValueScope, name: str, limit: int) -> tuple[SecretRecord, ...]:
        """Return secrets in order."""
        return tuple(map(_secret, self._session.all(SECRETS_AFTER, **_by(scope, name), most=limit)))

    def remove(self, scope: ValueScope, name: str) -> bool:
        """Remove a secret."""
        return bool(self._session.run(REMOVE_SECRET, **_by(scope, name)).rowcount)

    def remove_project(self, project: str) -> None:
        """Remove a project's secrets."""
        self._session.run(REMOVE_SECRETS, by_project=project)


class SqlVariables:
    """`VariableTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def put(self, variable: VariableRecord) -> None:
        """Add or replace a variable."""
        self._session.run(
            PUT_VARIABLE,
            project=variable.scope.project,
            environment=variable.scope.environment,
            name=variable.name,
            value=variable.value,
            updated_at=variable.updated_at,
            updated_by=variable.updated_by,
        )

    def of(self, project: str, environment: str = "") -> tuple[VariableRecord, ...]:
        """Return what the jobs of a project have."""
        rows = self._session.all(VARIABLES_OF, by_project=project, by_environment=environment)
        return tuple(map(_variable, rows))

    def all(self) -> tuple[VariableRecord, ...]:
        """Return all variables."""
        return tuple(map(_variable, self._session.all(ALL_VARIABLES)))

    def remove(self, scope: ValueScope, name: str) -> bool:
        """Remove a variable."""
        return bool(self._session.run(REMOVE_VARIABLE, **_by(scope, name)).rowcount)

    def remove_project(self, project: str) -> None:
        """Remove a project's variables."""
        self._session.run(REMOVE_VARIABLES, by_project=project)


class SqlSecretUses:
    """`SecretUseTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def add(self, uses: Sequence[SecretUse]) -> None:
        """Store uses that are not stored yet."""
        for use in uses:
            self._session.run(
                ADD_USE,
                run=use.attempt.run,
                job=use.attempt.job,
                attempt=use.attempt.attempt,
                name=use.name,
                version=use.version,
                project=use.scope.project,
                environment=use.scope.environment,
                used_at=use.used_at,
            )

    def of_name(self, name: str, limit: int) -> tuple[SecretUse, ...]:
        """Return the last uses of a name."""
        return tuple(map(_use, self._session.all(USES_OF_NAME, by_name=name, most=limit)))

    def of_run(self, run: RunId) -> tuple[SecretUse, ...]:
        """Return the uses in a run."""
        return tuple(map(_use, self._session.all(USES_OF_RUN, by_run=run)))

    def last(self) -> dict[tuple[ValueScope, str], float]:
        """Return when each secret was used last."""
        return {
            (ValueScope(project=row[0], environment=row[1]), row[2]): row[3]
            for row in self._session.all(LAST_USES)
        }

    def purge(self, before: float) -> int:
        """Remove old uses."""
        return int(self._session.run(PURGE_USES, before=before).rowcount)
