"""What a job is given as it begins, and never before: secrets, its environment's variables, its token.

It is the answer to `begin` of a live lease (architecture.md M9) and is kept nowhere: a worker that was
started again asks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pawl.core.lifecycle.state import group_of
from pawl.core.model.clones import Clone
from pawl.core.model.errors import InfrastructureError, InternalError, TransientError, Unavailable
from pawl.core.model.ids import JobId, WorkerId
from pawl.core.model.plan import Plan, PlannedJob
from pawl.core.model.projects import Project
from pawl.core.model.records import AttemptRecord, RunRecord
from pawl.core.model.refs import is_commit
from pawl.core.model.secrets import SecretRecord, SecretUse
from pawl.core.model.work import Begun, Lease
from pawl.core.secrets.named import SWITCHES, TOKEN, Named, named_by
from pawl.core.secrets.permissions import token_permissions
from pawl.core.secrets.rights import Rights, rights_of
from pawl.core.steps.files import needs_files
from pawl.engine.control import leases
from pawl.engine.control.desk import Desk
from pawl.engine.control.moment import Moment
from pawl.engine.control.tripwire import Tripwire
from pawl.ports.store import Transaction

_ASK_AGAIN = 5.0
_TOKEN_PATIENCE = 60.0
"""Seconds after an attempt's beginning for which its worker is sent again for a token that cannot be had."""

_CLONE = "the token to fetch with"
_DYNAMIC = (
    "`secrets` is used as a whole, or by a name that is only known now: it holds what the job names elsewhere"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a job is to be given, still sealed."""

    row: AttemptRecord
    plan: Plan
    planned: PlannedJob
    rights: Rights
    named: Named
    project: Project | None
    needs_clone: bool = False
    secrets: Sequence[SecretRecord] = ()
    variables: dict[str, str] = field(default_factory=dict)


class Giving:
    """Begins attempts, and gives each what is its own."""

    def __init__(self, desk: Desk, tripwire: Tripwire) -> None:
        self._desk = desk
        self._tripwire = tripwire

    async def begin(self, worker: WorkerId, lease: Lease) -> Begun:
        """Make a leased attempt a running one, and return what it is given; again is no error.

        Raises:
            StaleLease: it is not, or no longer, this worker's.
            Unavailable: the forge that makes its token cannot be reached: ask again.
        """
        found = await self._desk.write(lambda tx, moment: _begin(tx, worker, lease, moment))
        try:
            secrets = {secret.name: self._open(secret) for secret in found.secrets}
        except InfrastructureError as error:
            return Begun(refused=f"its secrets cannot be opened: {error.message}")
        token, notes = await self._token(found)
        if token:
            secrets[TOKEN] = token
        clone = await self._clone(found)
        kept = {_CLONE: clone.secret} if clone is not None and clone.secret else {}
        self._tripwire.watch(lease.ref, {**secrets, **kept})
        notes = (*_notes(found), *notes)
        return Begun(secrets=secrets, variables=found.variables, clone=clone, notes=notes)

    def _open(self, secret: SecretRecord) -> str:
        if self._desk.keeping.sealing is None:
            raise InfrastructureError("this server has no key")
        try:
            return self._desk.keeping.sealing.open(secret.sealed, secret.sealed_as)
        except InfrastructureError as error:
            raise InfrastructureError(f"{secret.name} of {secret.scope}: {error.message}") from error

    async def _token(self, found: _Found) -> tuple[str, tuple[str, ...]]:
        if found.project is None or self._desk.keeping.job_tokens is None or not found.named.token:
            return "", ()
        permissions = token_permissions(
            found.planned.permissions, found.plan.permissions, writes=found.rights.writes
        )
        try:
            token = await self._desk.keeping.job_tokens.of(found.project, permissions, found.rights)
        except TransientError as error:
            if self._desk.clock.now() - (found.row.started_at or 0.0) < _TOKEN_PATIENCE:
                raise Unavailable(
                    f"the job's token cannot be had: {error.message}", retry_after=_ASK_AGAIN
                ) from error
            return "", (f"`github.token` is empty: {error.message}",)
        return token.secret, (token.note,) if token.note else ()

    async def _clone(self, found: _Found) -> Clone | None:
        """Return where the job's files come from; None where it needs none of a forge."""
        clones = self._desk.keeping.clones
        if clones is None or found.project is None or not found.needs_clone:
            return None
        try:
            return await clones.of(found.project, found.rights)
        except TransientError as error:
            if self._desk.clock.now() - (found.row.started_at or 0.0) < _TOKEN_PATIENCE:
                raise Unavailable(
                    f"the token to fetch with cannot be had: {error.message}", retry_after=_ASK_AGAIN
                ) from error
        except InfrastructureError:
            pass  # this server's mirror has the commit: that is how there is a run
        return Clone()


def _notes(found: _Found) -> tuple[str, ...]:
    named = found.named
    if named.secrets and not found.rights.secrets:
        return (f"it gets no secrets: {found.rights.reason}",)
    return (_DYNAMIC,) if named.dynamic else ()


def _begin(tx: Transaction, worker: WorkerId, lease: Lease, moment: Moment) -> _Found:
    leases.begin(tx, worker, lease, moment)
    row, record = tx.attempts.get(lease.ref), tx.runs.get(lease.ref.run)
    if row is None or record is None:
        raise InternalError(f"{lease.ref} has begun and is not stored")
    plan = moment.plans.get(tx, record)
    planned = plan.job(group_of(lease.ref.job))
    rights, named = rights_of(plan.event), named_by(planned, plan.env)
    # As the lifecycle knows it: what was let in, and no other, is what it gets the secrets of.
    has_one = planned.environment is not None
    environment = _environment(tx, record, lease.ref.job, moment) if has_one else ""
    secrets: Sequence[SecretRecord] = ()
    if rights.secrets:
        wanted = named.secrets | SWITCHES
        # The narrowest comes last.
        known = {each.name: each for each in tx.secrets.of(record.repository, environment)}
        secrets = [secret for name, secret in sorted(known.items()) if name in wanted]
        tx.secret_uses.add([_use(row, secret, moment) for secret in secrets])
    variables = tx.variables.of(record.repository, environment) if environment else ()
    is_forges = record.source is None and is_commit(plan.event.sha)
    needs_clone = is_forges and needs_files(planned, plan.path)
    return _Found(
        row=row,
        plan=plan,
        planned=planned,
        rights=rights,
        named=named,
        project=tx.projects.get(record.repository) if named.token or needs_clone else None,
        needs_clone=needs_clone,
        secrets=secrets,
        variables={each.name: each.value for each in variables if each.scope.environment},
    )


def _environment(tx: Transaction, record: RunRecord, job: JobId, moment: Moment) -> str:
    """Return the name of the environment that a job was let into, "" for none."""
    found = moment.states.get(record.id, tx.runs.state(record.id)).find(job)
    return found[1].environment if found is not None else ""


def _use(row: AttemptRecord, secret: SecretRecord, moment: Moment) -> SecretUse:
    return SecretUse(
        attempt=row.ref, name=secret.name, scope=secret.scope, version=secret.version, used_at=moment.now
    )
