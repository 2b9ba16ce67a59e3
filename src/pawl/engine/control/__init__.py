"""The server's side of a run: intake, the queue, leases, results, cancel, re-run, sweeps, retention."""

from pawl.engine.control.clones import Clones
from pawl.engine.control.control import Control
from pawl.engine.control.desk import Keeping
from pawl.engine.control.job_tokens import JobTokens
from pawl.engine.control.origins import Origins
from pawl.engine.control.requests import AuditEntry, QueueEntry, SweepReport, Trigger
from pawl.engine.control.rules import Quotas, Retention, Rules
from pawl.engine.control.workers import worker_id

__all__ = [
    "AuditEntry",
    "Clones",
    "Control",
    "JobTokens",
    "Keeping",
    "Origins",
    "QueueEntry",
    "Quotas",
    "Retention",
    "Rules",
    "SweepReport",
    "Trigger",
    "worker_id",
]
