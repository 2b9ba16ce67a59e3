"""Runs: starting, looking at, cancelling and starting them again."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import TypeVar

from starlette.responses import Response

from pawl.core.model.errors import Denied, UsageError
from pawl.core.model.events import Event
from pawl.core.model.ids import JobId, JobKey, RunId
from pawl.core.model.plain import to_plain
from pawl.core.model.plan import Json
from pawl.core.model.records import RunRecord
from pawl.core.model.status import Conclusion, Status
from pawl.engine.control import Trigger
from pawl.engine.control.runs import Rerun
from pawl.engine.intake import OF_DELIVERIES
from pawl.ports.store import RunFilter
from pawl.server.answers import answer
from pawl.server.log_lines import correlation, say
from pawl.server.requests import Fields, number_in, read_chunks, read_json, run_of
from pawl.server.routes import Body, Call, Caller, Route

MAX_PAGE = 200
"""Runs in one answer."""
_MOST_TEXT = 4 << 20
E = TypeVar("E", bound=StrEnum)
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def _run(record: RunRecord) -> dict[str, Json]:
    plain = to_plain(record)
    return plain if isinstance(plain, dict) else {}


async def _trigger(call: Call) -> Response:
    wanted = _wanted(await read_json(call.request, Body.TRIGGER.value), call)
    record = await call.services.control.runs.trigger(wanted)
    call.services.metrics.runs.labels(record.event, "accepted").inc()
    say("run accepted", run=record.id, repository=record.repository, path=record.path, by=call.by)
    call.services.counting.runs(record.id)
    return answer(_run(record), 201, {"Location": f"/api/runs/{record.id}"})


def _wanted(body: dict[str, Json], call: Call) -> Trigger:
    fields = Fields(body)
    trigger = Trigger(
        path=fields.text("path", most=1000),
        text=fields.text("workflow", most=_MOST_TEXT),
        event=_event(fields, call),
        variables=fields.texts("variables"),
        source=fields.text("source", "", most=64) or None,
        priority=fields.number("priority", 0, least=-100, most=100),
        request_id=_request_id(fields),
        correlation=fields.text("correlation", "", most=64) or correlation(),
        by=call.by,
    )
    fields.done()
    return trigger


def _request_id(fields: Fields) -> str:
    """Return the request's own id, which is none of a delivery's: taken, its push or schedule had no run."""
    wanted = fields.text("request_id", "", most=200)
    if wanted.startswith(OF_DELIVERIES):
        raise UsageError(
            f"`request_id` of the body begins with `{OF_DELIVERIES}`, as those of deliveries do",
            hint="make another one up",
        )
    return wanted


def _event(fields: Fields, call: Call) -> Event:
    sha = fields.text("sha", "0" * 40, most=64)
    if not _SHA.fullmatch(sha):
        raise UsageError("`sha` of the body is no commit's full hash")
    from_fork = fields.flag("from_fork")
    if from_fork and (call.token is None or call.token.scope != "admin"):
        raise Denied(
            "only an administrator may say that a commit comes from a fork",
            hint="use a token of scope admin, or leave `from_fork` out",
            known=True,
        )
    name, _, action = fields.text("event", "workflow_dispatch", most=100).partition(".")
    return Event(
        name=name,
        action=fields.text("action", action, most=100) or None,
        ref=fields.text("ref", "refs/heads/main", most=1000),
        sha=sha,
        base_ref=fields.text("base_ref", "", most=1000),
        head_ref=fields.text("head_ref", "", most=1000),
        changed_files=fields.list_of_texts("changed_files"),
        repository=fields.text("repository", "local/repository", most=200),
        default_branch=fields.text("default_branch", "main", most=1000),
        actor=fields.text("actor", call.by, most=200),
        from_fork=from_fork,
        payload=fields.mapping("payload"),
        inputs=fields.texts("inputs"),
    )


async def _sources(call: Call) -> Response:
    chunks: AsyncIterator[bytes] = read_chunks(call.request, call.services.control.rules.quotas.source)
    facts = await call.services.control.artifacts.put_source(chunks)
    call.services.metrics.artifact_bytes.inc(facts.size)
    return answer({"digest": facts.digest, "size": facts.size}, 201)


async def _list(call: Call) -> Response:
    query = call.request.query_params
    limit = max(1, number_in(query, "limit", 50, most=MAX_PAGE))
    before = number_in(query, "before", 0)
    wanted = RunFilter(
        **{name: query[name] for name in ("repository", "ref", "event", "actor", "path") if query.get(name)},
        status=_word(Status, query.get("status"), "status"),
        conclusion=_word(Conclusion, query.get("conclusion"), "conclusion"),
        before=RunId(before) if before else None,
    )
    found = await call.services.control.runs.list(wanted, limit)
    return answer(
        {"runs": [_run(record) for record in found], "next": found[-1].id if len(found) == limit else None}
    )


def _word(kind: type[E], text: str | None, name: str) -> E | None:
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(f"`{each}`" for each in kind)
        raise UsageError(f"`{name}` of the query is `{text[:40]}`: expected one of {known}") from None


async def _get(call: Call) -> Response:
    return answer(_run(await call.services.control.runs.get(run_of(call.request))))


async def _attempts(call: Call) -> Response:
    found = await call.services.control.runs.attempts(run_of(call.request))
    rows = []
    for attempt in found:
        row = to_plain(attempt)
        if isinstance(row, dict):
            # What the worker needs may hold values that are none of the reader's business.
            row.pop("payload", None)
            row.pop("result_key", None)
            rows.append({**_flat(row.pop("ref")), **row})
    return answer({"attempts": rows})


def _flat(ref: Json) -> dict[str, Json]:
    return ref if isinstance(ref, dict) else {}


async def _cancel(call: Call) -> Response:
    fields = Fields(await read_json(call.request, Body.SMALL.value))
    job = fields.text("job", "", most=500)
    reason, at_once = fields.text("reason", "", most=1000), fields.flag("at_once")
    fields.done()
    record = await call.services.control.runs.cancel(
        run_of(call.request), job=JobId(job) if job else None, by=call.by, reason=reason, at_once=at_once
    )
    say("cancel asked for", run=record.id, job=job, by=call.by)
    call.services.counting.runs(record.id)
    return answer(_run(record))


async def _rerun(call: Call) -> Response:
    fields = Fields(await read_json(call.request, Body.SMALL.value))
    jobs = fields.text("jobs", "all", most=500)
    fields.done()
    wanted: Rerun = "all" if jobs == "all" else "failed" if jobs == "failed" else JobKey(jobs)
    run = run_of(call.request)
    # Nothing is told of a run that has ended, so what comes behind this is of the new attempt.
    told = await call.services.store.read(lambda tx: tx.events.last(run))
    record = await call.services.control.runs.rerun(run, jobs=wanted, by=call.by)
    say("run started again", run=record.id, jobs=jobs, by=call.by)
    return answer({**_run(record), "told_before": told})


async def _priority(call: Call) -> Response:
    fields = Fields(await read_json(call.request, Body.SMALL.value))
    priority = fields.number("priority", 0, least=-100, most=100)
    fields.done()
    record = await call.services.control.queue.set_priority(run_of(call.request), priority, call.by)
    return answer(_run(record))


ROUTES = (
    Route(
        method="POST",
        path="/api/sources",
        caller=Caller.USER,
        handler=_sources,
        summary="Stores the packed files of a repository and gives their digest.",
        body=Body.STREAM,
        status=201,
    ),
    Route(
        method="POST",
        path="/api/runs",
        caller=Caller.USER,
        handler=_trigger,
        summary="Starts a run of a workflow and gives its record.",
        body=Body.TRIGGER,
        example={
            "repository": "acme/app",
            "path": ".github/workflows/ci.yml",
            "workflow": "on: workflow_dispatch\njobs: {a: {runs-on: self-hosted, steps: [{run: make}]}}\n",
            "event": "workflow_dispatch",
            "ref": "refs/heads/main",
            "sha": "0" * 40,
            "inputs": {},
            "request_id": "made up once for each run that is wanted",
        },
        status=201,
    ),
    Route(
        method="GET",
        path="/api/runs",
        caller=Caller.READ,
        handler=_list,
        summary="Lists runs, newest first.",
        query={
            "repository": "Only runs of this repository; `ref`, `event`, `actor`, `path` filter too.",
            "status": "`waiting` (for approval), `queued`, `in_progress` or `completed`.",
            "conclusion": "How they ended.",
            "limit": f"How many, at most {MAX_PAGE}; 50 when left out.",
            "before": "Only runs with a smaller id: `next` of the page before.",
        },
    ),
    Route(
        method="GET",
        path="/api/runs/{run}",
        caller=Caller.READ,
        handler=_get,
        summary="Gives a run's record.",
    ),
    Route(
        method="GET",
        path="/api/runs/{run}/attempts",
        caller=Caller.READ,
        handler=_attempts,
        summary="Lists all attempts of a run's jobs.",
    ),
    Route(
        method="POST",
        path="/api/runs/{run}/cancel",
        caller=Caller.USER,
        handler=_cancel,
        summary="Asks a run, or one job of it, to stop.",
        body=Body.SMALL,
        example={"job": "test", "reason": "not needed any more", "at_once": False},
    ),
    Route(
        method="POST",
        path="/api/runs/{run}/rerun",
        caller=Caller.USER,
        handler=_rerun,
        summary="Starts a run that has ended again: `all`, `failed`, or one job.",
        body=Body.SMALL,
        example={"jobs": "failed"},
    ),
    Route(
        method="POST",
        path="/api/runs/{run}/priority",
        caller=Caller.USER,
        handler=_priority,
        summary="Moves a run's waiting jobs forward in the queue, or back below 0.",
        body=Body.SMALL,
        example={"priority": 2},
    ),
)
