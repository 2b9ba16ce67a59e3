"""What a function that works on the store is given."""

from __future__ import annotations

from pawl.adapters.store_sql.approvals import SqlApprovals, SqlEnvironments
from pawl.adapters.store_sql.intake import SqlDeliveries, SqlHeads, SqlProjects, SqlSchedules
from pawl.adapters.store_sql.lists import SqlArtifacts, SqlKeys, SqlTokens, SqlWorkers
from pawl.adapters.store_sql.queue import SqlAttempts, SqlGroups
from pawl.adapters.store_sql.reporting import SqlDestinations, SqlNotices, SqlStatuses, SqlStreaks
from pawl.adapters.store_sql.runs import SqlEvents, SqlLogs, SqlRuns
from pawl.adapters.store_sql.secrets import SqlSecrets, SqlSecretUses, SqlVariables
from pawl.adapters.store_sql.session import Session
from pawl.ports.store import (
    ApprovalTable,
    ArtifactTable,
    AttemptTable,
    DeliveryTable,
    DestinationTable,
    EnvironmentTable,
    EventTable,
    GroupTable,
    HeadTable,
    KeyTable,
    LogTable,
    NoticeTable,
    ProjectTable,
    RunTable,
    ScheduleTable,
    SecretTable,
    SecretUseTable,
    StatusTable,
    StreakTable,
    TokenTable,
    Transaction,
    VariableTable,
    WorkerTable,
)


class SqlTransaction:
    """`Transaction` over a session."""

    __slots__ = (
        "_session",
        "artifacts",
        "attempts",
        "events",
        "groups",
        "keys",
        "logs",
        "runs",
        "tokens",
        "workers",
    )

    def __init__(self, session: Session) -> None:
        """Work in a session."""
        self._session = session
        self.runs: RunTable = SqlRuns(session)
        self.attempts: AttemptTable = SqlAttempts(session)
        self.groups: GroupTable = SqlGroups(session)
        self.events: EventTable = SqlEvents(session)
        self.logs: LogTable = SqlLogs(session)
        self.artifacts: ArtifactTable = SqlArtifacts(session)
        self.workers: WorkerTable = SqlWorkers(session)
        self.tokens: TokenTable = SqlTokens(session)
        self.keys: KeyTable = SqlKeys(session)

    # Made when they are asked for: most transactions are about runs alone.

    @property
    def projects(self) -> ProjectTable:
        """Return the projects."""
        return SqlProjects(self._session)

    @property
    def deliveries(self) -> DeliveryTable:
        """Return the journal of deliveries."""
        return SqlDeliveries(self._session)

    @property
    def heads(self) -> HeadTable:
        """Return which commits refs were told to be at."""
        return SqlHeads(self._session)

    @property
    def schedules(self) -> ScheduleTable:
        """Return the cron lines of default branches."""
        return SqlSchedules(self._session)

    @property
    def secrets(self) -> SecretTable:
        """Return the secrets, sealed."""
        return SqlSecrets(self._session)

    @property
    def variables(self) -> VariableTable:
        """Return the variables."""
        return SqlVariables(self._session)

    @property
    def secret_uses(self) -> SecretUseTable:
        """Return which attempt was given which secret."""
        return SqlSecretUses(self._session)

    @property
    def statuses(self) -> StatusTable:
        """Return the commit statuses."""
        return SqlStatuses(self._session)

    @property
    def destinations(self) -> DestinationTable:
        """Return where notices go."""
        return SqlDestinations(self._session)

    @property
    def notices(self) -> NoticeTable:
        """Return the notices."""
        return SqlNotices(self._session)

    @property
    def streaks(self) -> StreakTable:
        """Return how the newest runs ended."""
        return SqlStreaks(self._session)

    @property
    def environments(self) -> EnvironmentTable:
        """Return the environments of projects."""
        return SqlEnvironments(self._session)

    @property
    def approvals(self) -> ApprovalTable:
        """Return what waits for approval, and what was decided."""
        return SqlApprovals(self._session)

    def notify(self, topic: str) -> None:
        """Wake those that wait for `topic` once this is committed."""
        self._session.topics.add(topic)


def probe(transaction: Transaction) -> None:
    """Write something and remove it again: whether the database can be written shows at the commit."""
    transaction.keys.put("server:check", None, time=-1.0)
    transaction.keys.purge(0.0)
