"""The smaller tables: artifacts, workers, tokens, small named values."""

from __future__ import annotations

import sqlalchemy as sa

from pawl.adapters.store_sql import tables
from pawl.adapters.store_sql.queue import lock_name
from pawl.adapters.store_sql.session import Row, Session, Statement, dumps, loads, upsert_into
from pawl.core.model.ids import JobId, RunId, WorkerId
from pawl.core.model.plan import Json
from pawl.core.model.records import ArtifactEntry, ArtifactRecord, TokenRecord, WorkerRecord

artifacts = tables.artifacts
_ARTIFACT = sa.select(*(column for column in artifacts.c if column.name != "id"))
_ARTIFACT_NAME = (artifacts.c.run == sa.bindparam("by_run"), artifacts.c.name == sa.bindparam("by_name"))
_FINAL = artifacts.c.final == sa.literal_column("1")
_TOTAL = sa.select(sa.func.coalesce(sa.func.sum(artifacts.c.size), sa.literal_column("0"))).where(_FINAL)

PUT_ARTIFACT = upsert_into(artifacts, ["run", "name"], "id")
GET_ARTIFACT = Statement(_ARTIFACT.where(*_ARTIFACT_NAME))
ARTIFACTS_OF_RUN = Statement(
    _ARTIFACT.where(_FINAL, artifacts.c.run == sa.bindparam("by_run")).order_by(
        artifacts.c.created_at, artifacts.c.id
    )
)
REMOVE_ARTIFACT = Statement(sa.delete(artifacts).where(*_ARTIFACT_NAME))
TOTAL_SIZE = Statement(_TOTAL)
SIZE_OF_RUN = Statement(_TOTAL.where(artifacts.c.run == sa.bindparam("by_run")))
CREATED_BEFORE = Statement(
    _ARTIFACT.where(artifacts.c.created_at < sa.bindparam("time"))
    .order_by(artifacts.c.created_at, artifacts.c.id)
    .limit(sa.bindparam("most"))
)
ALL_FILES = Statement(sa.select(artifacts.c.files))
SOURCES = Statement(sa.select(tables.runs.c.source).where(tables.runs.c.source.is_not(None)).distinct())


def _entries(files: str) -> tuple[ArtifactEntry, ...]:
    listed = loads(files)
    if not isinstance(listed, list):
        return ()
    return tuple(
        ArtifactEntry(name=str(name), size=int(str(size)), sha256=str(sha256), content_type=str(content_type))
        for name, size, sha256, content_type in (entry for entry in listed if isinstance(entry, list))
    )


def _artifact(row: Row) -> ArtifactRecord:
    return ArtifactRecord(
        run=RunId(row[0]),
        name=row[1],
        job=JobId(row[2]),
        attempt=row[3],
        created_at=row[4],
        size=row[5],
        files=_entries(row[6]),
        final=bool(row[7]),
    )


class SqlArtifacts:
    """`ArtifactTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def put(self, artifact: ArtifactRecord) -> None:
        """Add or replace an artifact."""
        files: Json = [[file.name, file.size, file.sha256, file.content_type] for file in artifact.files]
        self._session.run(
            PUT_ARTIFACT,
            run=artifact.run,
            name=artifact.name,
            job=artifact.job,
            attempt=artifact.attempt,
            created_at=artifact.created_at,
            size=artifact.size,
            files=dumps(files),
            final=int(artifact.final),
        )

    def get(self, run: RunId, name: str) -> ArtifactRecord | None:
        """Return an artifact."""
        row = self._session.one(GET_ARTIFACT, by_run=run, by_name=name)
        return None if row is None else _artifact(row)

    def of_run(self, run: RunId) -> tuple[ArtifactRecord, ...]:
        """Return a run's final artifacts."""
        return tuple(map(_artifact, self._session.all(ARTIFACTS_OF_RUN, by_run=run)))

    def remove(self, run: RunId, name: str) -> None:
        """Remove an artifact."""
        self._session.run(REMOVE_ARTIFACT, by_run=run, by_name=name)

    def total_size(self, run: RunId | None = None) -> int:
        """Return the bytes of final artifacts."""
        if run is None:
            return int(self._session.one(TOTAL_SIZE)[0])
        return int(self._session.one(SIZE_OF_RUN, by_run=run)[0])

    def created_before(self, time: float, limit: int) -> tuple[ArtifactRecord, ...]:
        """Return old artifacts."""
        return tuple(map(_artifact, self._session.all(CREATED_BEFORE, time=time, most=limit)))

    def digests(self) -> frozenset[str]:
        """Return the blobs in use."""
        files = {file.sha256 for row in self._session.all(ALL_FILES) for file in _entries(row[0])}
        return frozenset(files | {row[0] for row in self._session.all(SOURCES)})


workers = tables.workers
PUT_WORKER = upsert_into(workers, ["id"])
GET_WORKER = Statement(sa.select(workers).where(workers.c.id == sa.bindparam("wanted")))
ALL_WORKERS = Statement(sa.select(workers).order_by(workers.c.name, workers.c.id))
REMOVE_WORKER = Statement(sa.delete(workers).where(workers.c.id == sa.bindparam("wanted")))


def _worker(row: Row) -> WorkerRecord:
    labels, facts = loads(row[3]), loads(row[9])
    return WorkerRecord(
        id=WorkerId(row[0]),
        name=row[1],
        token=row[2],
        labels=tuple(map(str, labels)) if isinstance(labels, list) else (),
        slots=row[4],
        first_seen=row[5],
        last_seen=row[6],
        draining=bool(row[7]),
        health=row[8],
        facts={key: str(value) for key, value in facts.items()} if isinstance(facts, dict) else {},
    )


class SqlWorkers:
    """`WorkerTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def put(self, worker: WorkerRecord) -> None:
        """Add or replace a worker."""
        self._session.run(
            PUT_WORKER,
            id=worker.id,
            name=worker.name,
            token=worker.token,
            labels=dumps(list(worker.labels)),
            slots=worker.slots,
            first_seen=worker.first_seen,
            last_seen=worker.last_seen,
            draining=int(worker.draining),
            health=worker.health,
            facts=dumps(dict(worker.facts)),
        )

    def get(self, worker: WorkerId) -> WorkerRecord | None:
        """Return a worker."""
        row = self._session.one(GET_WORKER, wanted=worker)
        return None if row is None else _worker(row)

    def all(self) -> tuple[WorkerRecord, ...]:
        """Return all workers."""
        return tuple(map(_worker, self._session.all(ALL_WORKERS)))

    def remove(self, worker: WorkerId) -> None:
        """Remove a worker."""
        self._session.run(REMOVE_WORKER, wanted=worker)


tokens = tables.tokens
PUT_TOKEN = upsert_into(tokens, ["digest"])
GET_TOKEN = Statement(sa.select(tokens).where(tokens.c.digest == sa.bindparam("wanted")))
ALL_TOKENS = Statement(sa.select(tokens).order_by(tokens.c.created_at, tokens.c.digest))


def _token(row: Row) -> TokenRecord:
    return TokenRecord(
        digest=row[0],
        name=row[1],
        scope=row[2],
        created_at=row[3],
        last_used=row[4],
        expires_at=row[5],
        revoked=bool(row[6]),
    )


class SqlTokens:
    """`TokenTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def put(self, token: TokenRecord) -> None:
        """Add or replace a token."""
        self._session.run(
            PUT_TOKEN,
            digest=token.digest,
            name=token.name,
            scope=token.scope,
            created_at=token.created_at,
            last_used=token.last_used,
            expires_at=token.expires_at,
            revoked=int(token.revoked),
        )

    def get(self, digest: str) -> TokenRecord | None:
        """Return a token."""
        row = self._session.one(GET_TOKEN, wanted=digest)
        return None if row is None else _token(row)

    def all(self) -> tuple[TokenRecord, ...]:
        """Return all tokens."""
        return tuple(map(_token, self._session.all(ALL_TOKENS)))


values = tables.key_values
GET_VALUE = Statement(sa.select(values.c.value).where(values.c.name == sa.bindparam("wanted")))
PUT_VALUE = upsert_into(values, ["name"])
PURGE = Statement(
    sa.delete(values).where(
        values.c.time < sa.bindparam("before"), values.c.lasting == sa.literal_column("0")
    )
)


class SqlKeys:
    """`KeyTable`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session

    def get(self, name: str) -> Json:
        """Return a value, and keep others from it."""
        lock_name(self._session, f"key:{name}")
        row = self._session.one(GET_VALUE, wanted=name)
        return None if row is None else loads(row[0])

    def put(self, name: str, value: Json, *, time: float, lasting: bool = False) -> None:
        """Set a value."""
        self._session.run(PUT_VALUE, name=name, value=dumps(value), time=time, lasting=int(lasting))

    def purge(self, before: float) -> int:
        """Remove old values."""
        return int(self._session.run(PURGE, before=before).rowcount)
