"""What notices say, as JSON. Pure. docs/reference/notifications.md lists the members; they are only added."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pawl.core.model.plan import Json
from pawl.core.model.records import AttemptRecord, RunRecord
from pawl.core.model.reporting import Topic
from pawl.engine.reporting.streaks import News


def run_body(topic: Topic, run: RunRecord, now: float, url: str, news: News | None = None) -> dict[str, Json]:
    """Return the body of a notice about a run."""
    told: dict[str, Json] = {
        "topic": topic.value,
        "time": now,
        "repository": run.repository,
        "run": _run(run),
        "url": url,
    }
    if news is not None:
        told["change"] = news.change.value
        told["broken_since"] = news.since
    return told


def job_body(run: RunRecord, event: Mapping[str, Json], now: float, url: str) -> dict[str, Json]:
    """Return the body of a notice about a job's end, from the event that the run told of it."""
    job: dict[str, Json] = {
        "id": event.get("job"),
        "conclusion": event.get("conclusion"),
        "duration": event.get("duration"),
        "reason": event.get("reason"),
        "failure_class": event.get("failure_class"),
    }
    return {**run_body(Topic.JOB_COMPLETED, run, now, url), "job": job}


def lost_body(attempt: AttemptRecord, now: float, url: str) -> dict[str, Json]:
    """Return the body of a notice about a lost worker, from the attempt that it had."""
    return {
        "topic": Topic.WORKER_LOST.value,
        "time": now,
        "repository": attempt.repository,
        "worker": attempt.worker,
        "run": {"id": attempt.ref.run},
        "job": {"id": attempt.ref.job, "name": attempt.name, "attempt": attempt.ref.attempt},
        "url": url,
    }


def ping_body(now: float, by: str) -> dict[str, Json]:
    """Return the body of a notice that tries whether it arrives."""
    return {"topic": Topic.PING.value, "time": now, "by": by}


def written(body: Mapping[str, Json], identity: str) -> str:
    """Return a body as it is stored and sent, under an id by which a receiver knows what comes twice."""
    return json.dumps({"id": identity, **body}, ensure_ascii=True, separators=(",", ":"))


def _run(run: RunRecord) -> dict[str, Json]:
    return {
        "id": run.id,
        "number": run.number,
        "attempt": run.attempt,
        "workflow": run.name,
        "path": run.path,
        "name": run.run_name,
        "event": run.event,
        "ref": run.ref,
        "sha": run.sha,
        "actor": run.actor,
        "status": run.status.value,
        "conclusion": run.conclusion.value if run.conclusion is not None else None,
        "reason": run.reason,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "completed_at": run.completed_at,
    }
