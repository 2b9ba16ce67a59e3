"""The store: everything a server must not lose, but for the bytes of logs and artifacts (M1, M10).

Work on the store is a plain function over a `Transaction`; the store runs it, whole or not at all. So what
changes together is one function, and the same function runs on every database.
"""

from pawl.ports.store.approvals import ApprovalTable, EnvironmentTable
from pawl.ports.store.intake import DeliveryTable, HeadTable, ProjectTable, ScheduleTable
from pawl.ports.store.queue import AttemptTable, GroupTable, LeaseOffer
from pawl.ports.store.reporting import DestinationTable, NoticeTable, StatusTable, StreakTable
from pawl.ports.store.runs import EventTable, LogTable, RunFilter, RunTable
from pawl.ports.store.secrets import SecretTable, SecretUseTable, VariableTable
from pawl.ports.store.store import Store, Transaction
from pawl.ports.store.tables import ArtifactTable, KeyTable, TokenTable, WorkerTable

__all__ = [
    "ApprovalTable",
    "ArtifactTable",
    "AttemptTable",
    "DeliveryTable",
    "DestinationTable",
    "EnvironmentTable",
    "EventTable",
    "GroupTable",
    "HeadTable",
    "KeyTable",
    "LeaseOffer",
    "LogTable",
    "NoticeTable",
    "ProjectTable",
    "RunFilter",
    "RunTable",
    "ScheduleTable",
    "SecretTable",
    "SecretUseTable",
    "StatusTable",
    "Store",
    "StreakTable",
    "TokenTable",
    "Transaction",
    "VariableTable",
    "WorkerTable",
]
