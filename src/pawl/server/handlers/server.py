"""The server itself: health, metrics, queue, workers, tokens and who did what."""

from __future__ import annotations

import hashlib

from starlette.responses import Response

from pawl.core.model.errors import UsageError
from pawl.core.model.ids import WorkerId
from pawl.core.model.plain import to_plain
from pawl.core.model.records import TokenRecord
from pawl.server.answers import answer
from pawl.server.metrics import CONTENT_TYPE
from pawl.server.requests import Fields, number_in, read_json
from pawl.server.routes import Body, Call, Caller, Handler, Route


async def _health(call: Call) -> Response:
    return answer({"status": "stopping" if call.services.stopping.begun else "ok"})


async def _ready(call: Call) -> Response:
    faults = await call.services.readiness.faults()
    if call.services.stopping.begun:
        faults = {**faults, "server": "it is being stopped"}
    # Anybody may ask: which part is not well is all that is told; what is wrong stands in the log.
    told = {"status": "not ready" if faults else "ready", "faults": sorted(faults)}
    return answer(told, 503 if faults else 200, {"Retry-After": "2"} if faults else None)


async def _metrics(call: Call) -> Response:
    services = call.services
    await services.counting.settle()
    now = services.clock.now()
    entries = await services.control.queue.entries()
    counts = await services.control.queue.counts()
    jobs = [entry for entry in entries if entry.job is not None]
    stuck = sum("no worker" in entry.reason for entry in jobs)
    oldest = min((entry.waiting_since for entry in jobs), default=now)
    services.metrics.show_queue(counts, max(0.0, now - oldest), stuck)
    workers = await services.control.workers.all()
    services.metrics.show_workers(workers, now, counts.get("running", 0) + counts.get("leased", 0))
    services.metrics.show_deliveries(await services.intake.journal.counts())
    listening = services.waking.listening
    services.metrics.log_readers.set(listening["log"] + listening["run"])
    return Response(services.metrics.text(), media_type=CONTENT_TYPE)


async def _queue(call: Call) -> Response:
    entries = await call.services.control.queue.entries()
    counts = await call.services.control.queue.counts()
    return answer({"queue": [to_plain(entry) for entry in entries], "counts": counts})


async def _workers(call: Call) -> Response:
    rows = []
    for worker, attempts in await call.services.control.workers.all_with_work():
        row = to_plain(worker)
        if isinstance(row, dict):
            row.pop("token", None)
            running = [
                {
                    "run": each.ref.run,
                    "job": each.ref.job,
                    "attempt": each.ref.attempt,
                    "name": each.name,
                    "repository": each.repository,
                    "state": each.state,
                }
                for each in attempts
            ]
            rows.append({**row, "busy": len(running), "running": running})
    return answer({"workers": rows, "now": call.services.clock.now()})


async def _remove_worker(call: Call) -> Response:
    await call.services.control.workers.remove(WorkerId(call.request.path_params["worker"]), by=call.by)
    return answer({})


def _token(record: TokenRecord) -> dict[str, object]:
    return {
        "id": record.digest[:12],
        "name": record.name,
        "scope": record.scope,
        "created_at": record.created_at,
        "last_used": record.last_used,
        "expires_at": record.expires_at,
        "revoked": record.revoked,
    }


async def _tokens(call: Call) -> Response:
    return answer({"tokens": [_token(record) for record in await call.services.control.tokens.all()]})


async def _create_token(call: Call) -> Response:
    fields = Fields(await read_json(call.request, Body.SMALL.value))
    name, scope = fields.text("name", most=200), fields.text("scope", most=20)
    days = fields.number("days", 0, least=0, most=36_500)
    fields.done()
    expires_at = call.services.clock.now() + days * 86_400.0 if days else None
    secret = await call.services.control.tokens.create(name, scope, by=call.token, expires_at=expires_at)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    told = {"token": secret, "id": digest[:12], "name": name, "scope": scope, "expires_at": expires_at}
    return answer(told, 201)


async def _revoke_token(call: Call) -> Response:
    wanted = call.request.path_params["token"]
    if len(wanted) < 6:
        raise UsageError("the id of a token has at least six characters", hint="`GET /api/tokens` lists them")
    await call.services.control.tokens.revoke(wanted, by=call.token)
    return answer({})


async def _audit(call: Call) -> Response:
    after = number_in(call.request.query_params, "after", 0)
    entries = await call.services.control.audit(after, 1000)
    return answer({"audit": [to_plain(entry) for entry in entries]})


def _get(path: str, caller: Caller, handler: Handler, summary: str, kind: str = "application/json") -> Route:
    return Route(method="GET", path=path, caller=caller, handler=handler, summary=summary, answer=kind)


ROUTES = (
    _get("/health", Caller.NONE, _health, "Says that the server answers."),
    _get("/ready", Caller.NONE, _ready, "Says whether store, logs and blobs can be written; 503 when not."),
    _get("/metrics", Caller.READ, _metrics, "Gives metrics as Prometheus reads them.", "text/plain"),
    _get("/api/queue", Caller.READ, _queue, "Lists what waits, first to last, and why."),
    _get("/api/workers", Caller.READ, _workers, "Lists the workers, each with what it runs."),
    Route(
        method="DELETE",
        path="/api/workers/{worker:path}",
        caller=Caller.USER,
        handler=_remove_worker,
        summary="Forgets a worker; what it works on is given up when its leases end.",
    ),
    _get("/api/tokens", Caller.ADMIN, _tokens, "Lists the tokens, never their secrets."),
    Route(
        method="POST",
        path="/api/tokens",
        caller=Caller.ADMIN,
        handler=_create_token,
        summary="Makes a token; its secret is shown this once.",
        body=Body.SMALL,
        example={"name": "builder-1", "scope": "worker", "days": 90},
        status=201,
    ),
    Route(
        method="DELETE",
        path="/api/tokens/{token}",
        caller=Caller.ADMIN,
        handler=_revoke_token,
        summary="Makes a token good for nothing, by its id.",
    ),
    Route(
        method="GET",
        path="/api/audit",
        caller=Caller.ADMIN,
        handler=_audit,
        summary="Lists who did what that only some may do.",
        query={"after": "Only entries with a greater number."},
    ),
)
