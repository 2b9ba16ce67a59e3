"""What the server counts and measures, in Prometheus' text format (docs/reference/metrics.md).

No label names a repository, a run or a branch: their number has no bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import generate_latest

from pawl.core.model.plan import Json
from pawl.core.model.records import AttemptRecord, RunRecord, WorkerRecord

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each, which nobody asks for

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LONG = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 14400)
_SHORT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_STATES = ("queued", "blocked", "leased", "running")


class Metrics:
    """One server's metrics, in a registry of their own: a process may have two servers, in tests."""

    def __init__(self, version: str) -> None:
        registry = self._registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
            return Histogram(name, text, labels, registry=registry, buckets=buckets)

        self.runs = counter("ci_runs", "Runs that were taken in or ended here.", "event", "status")
        self.run_seconds = histogram("ci_run_duration_seconds", "Runs from intake to end.", _LONG)
        self.queue_seconds = histogram("ci_job_queue_seconds", "Attempts from queue to lease.", _LONG)
        self.job_seconds = histogram("ci_job_duration_seconds", "Attempts from begin to end.", _LONG)
        self.step_seconds = histogram("ci_step_duration_seconds", "Steps.", _LONG)
        self.jobs = gauge("ci_jobs", "Attempts that have not ended, by state.", "state")
        self.oldest = gauge("ci_queue_oldest_seconds", "How long the oldest queued attempt has waited.")
        self.unschedulable = gauge("ci_jobs_unschedulable", "Queued attempts that no worker can take.")
        self.retries = counter("ci_retries", "Attempts after the first that ended.", "class")
        self.failures = counter("ci_failures", "Attempts that failed, by whose fault it was.", "class")
        self.workers = gauge("ci_workers", "Workers, by state.", "state")
        self.slots = gauge("ci_worker_slots", "Slots of live workers.", "used")
        self.last_seen = gauge("ci_worker_last_seen_seconds", "How long ago the quietest worker was heard.")
        self.log_bytes = counter("ci_log_bytes", "Bytes of logs stored.")
        self.log_readers = gauge("ci_log_subscribers", "Readers that follow logs or events.")
        self.artifact_bytes = counter("ci_artifact_bytes", "Bytes of artifacts and sources stored.")
        self.webhooks = counter("ci_webhooks", "Webhook requests, by what became of them.", "forge", "result")
        self.status_posts = counter(
            "ci_status_posts", "Times a commit status was sent, by what came of it.", "result"
        )
        self.notices = counter("ci_notices", "Times a notice was sent, by what came of it.", "result")
        self.deliveries = gauge("ci_deliveries", "Deliveries that are kept, by state.", "state")
        self.leaks = counter("ci_secret_leaks", "Times that a secret was found in what workers sent.")
        self.db_seconds = histogram(
            "ci_db_query_seconds", "Transactions on the store, until they are durable.", _SHORT, "kind"
        )
        self.http_seconds = histogram(
            "ci_http_request_seconds", "Requests until the answer began.", _SHORT, "route", "status"
        )
        self.loop_lag = gauge("ci_loop_lag_seconds", "How late the server's loop was when last looked at.")
        gauge("ci_build_info", "The version of this server.", "version").labels(version).set(1)

    def text(self) -> bytes:
        """Return all metrics as text."""
        return generate_latest(self._registry)

    def run_ended(self, run: RunRecord) -> None:
        """Count a run that has ended."""
        self.runs.labels(run.event, str(run.conclusion or "")).inc()
        if run.completed_at is not None:
            self.run_seconds.observe(max(0.0, run.completed_at - run.created_at))

    def attempt_ended(self, attempt: AttemptRecord) -> None:
        """Count an attempt that has ended."""
        if attempt.started_at is not None and attempt.finished_at is not None:
            self.job_seconds.observe(max(0.0, attempt.finished_at - attempt.started_at))
        failed = str(attempt.failure_class) if attempt.failure_class is not None else ""
        if failed:
            self.failures.labels(failed).inc()
        if attempt.ref.attempt > 1:
            self.retries.labels(failed or "none").inc()

    def steps_told(self, events: Sequence[Json]) -> None:
        """Measure the steps that ended among events."""
        for event in events:
            if isinstance(event, dict) and event.get("type") == "step_finished":
                duration = event.get("duration")
                if isinstance(duration, int | float):
                    self.step_seconds.observe(max(0.0, duration))

    def show_queue(self, counts: Mapping[str, int], oldest: float, unschedulable: int) -> None:
        """Set what is known of the queue: attempts by state, seconds, attempts."""
        for state in _STATES:
            self.jobs.labels(state).set(counts.get(state, 0))
        self.oldest.set(oldest)
        self.unschedulable.set(unschedulable)

    def show_deliveries(self, counts: Mapping[str, int]) -> None:
        """Set how many deliveries are in which state."""
        for state, count in counts.items():
            self.deliveries.labels(state).set(count)

    def show_workers(self, workers: Sequence[WorkerRecord], now: float, running: int) -> None:
        """Set what is known of the workers; one that has not been heard for two minutes is away."""
        states = [_state(worker, now) for worker in workers]
        for state in ("ready", "draining", "unwell", "away"):
            self.workers.labels(state).set(states.count(state))
        slots = sum(w.slots for w, state in zip(workers, states, strict=True) if state != "away")
        self.slots.labels("yes").set(min(running, slots))
        self.slots.labels("no").set(max(0, slots - running))
        self.last_seen.set(max((now - worker.last_seen for worker in workers), default=0))


AWAY_AFTER = 120.0
"""Seconds without a word after which a worker is called away."""


def _state(worker: WorkerRecord, now: float) -> str:
    if now - worker.last_seen > AWAY_AFTER:
        return "away"
    if worker.health:
        return "unwell"
    return "draining" if worker.draining else "ready"
