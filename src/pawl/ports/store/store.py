"""The store itself: transactions, and news of what they changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from pawl.ports.store.approvals import ApprovalTable, EnvironmentTable
from pawl.ports.store.intake import DeliveryTable, HeadTable, ProjectTable, ScheduleTable
from pawl.ports.store.queue import AttemptTable, GroupTable
from pawl.ports.store.reporting import DestinationTable, NoticeTable, StatusTable, StreakTable
from pawl.ports.store.runs import EventTable, LogTable, RunTable
from pawl.ports.store.secrets import SecretTable, SecretUseTable, VariableTable
from pawl.ports.store.tables import ArtifactTable, KeyTable, TokenTable, WorkerTable

T = TypeVar("T")


class RunTables(Protocol):
    """Runs and what belongs to them."""

    @property
    def runs(self) -> RunTable:
        """Return the runs."""

    @property
    def attempts(self) -> AttemptTable:
        """Return the attempts of jobs: the queue."""

    @property
    def groups(self) -> GroupTable:
        """Return who has and who awaits which concurrency group."""

    @property
    def events(self) -> EventTable:
        """Return what runs told: the outbox."""

    @property
    def logs(self) -> LogTable:
        """Return what is known of logs."""

    @property
    def artifacts(self) -> ArtifactTable:
        """Return the artifacts."""


class IntakeTables(Protocol):
    """Projects, and what their forges sent."""

    @property
    def projects(self) -> ProjectTable:
        """Return the projects."""

    @property
    def deliveries(self) -> DeliveryTable:
        """Return the journal of deliveries."""

    @property
    def heads(self) -> HeadTable:
        """Return which commits refs were told to be at."""

    @property
    def schedules(self) -> ScheduleTable:
        """Return the cron lines of default branches."""


class SecretTables(Protocol):
    """What jobs are given from outside their workflow."""

    @property
    def secrets(self) -> SecretTable:
        """Return the secrets, sealed."""

    @property
    def variables(self) -> VariableTable:
        """Return the variables."""

    @property
    def secret_uses(self) -> SecretUseTable:
        """Return which attempt was given which secret."""


class ReportingTables(Protocol):
    """What is to be told outside."""

    @property
    def statuses(self) -> StatusTable:
        """Return the commit statuses."""

    @property
    def destinations(self) -> DestinationTable:
        """Return where notices go."""

    @property
    def notices(self) -> NoticeTable:
        """Return what was told there, or is to be."""

    @property
    def streaks(self) -> StreakTable:
        """Return how the newest run of each workflow at each ref ended."""


class ApprovalTables(Protocol):
    """What may have to wait for a person."""

    @property
    def environments(self) -> EnvironmentTable:
        """Return the environments of projects."""

    @property
    def approvals(self) -> ApprovalTable:
        """Return what waits for approval, and what was decided."""


class Transaction(RunTables, IntakeTables, SecretTables, ReportingTables, ApprovalTables, Protocol):
    """What a function that works on the store is given; good only while that function runs."""

    @property
    def workers(self) -> WorkerTable:
        """Return the workers."""

    @property
    def tokens(self) -> TokenTable:
        """Return the tokens."""

    @property
    def keys(self) -> KeyTable:
        """Return small named values: answers to repeated requests, counters of the queue's rules."""

    def notify(self, topic: str) -> None:
        """Wake those that wait for `topic`, once and only if this is committed."""


class Store(Protocol):
    """A database. One instance serves a whole process; its methods may be called at the same time.

    Reading and writing never block the event loop.
    """

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction and return what it returned, once that is durable.

        Whatever `work` raises is raised, and nothing of it is kept. `work` may be run again where the
        database asks for it, so it must not have other effects. Writes that touch the same run are in
        one order, the same for all.

        Raises:
            Unavailable: locked for too long, full, read-only or not reachable. Nothing was kept, or, when
                the connection broke at the commit, it is not known: ask again (idempotency keys tell).
            InfrastructureError: it is corrupt, or was changed by a newer version of Pawl.
        """

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, which only reads, on one consistent state, and return what it returned.

        Never waits for a writer.

        Raises:
            Unavailable, InfrastructureError: as `write`.
        """

    def subscribe(self, listener: Callable[[frozenset[str]], None]) -> Callable[[], None]:
        """Have `listener` called in the event loop with the topics of every commit; returns how to end that.

        Commits of other servers on the same database are told too. A topic may be told late or twice,
        and after a lost connection not at all: who waits also looks from time to time.
        """

    async def check(self) -> None:
        """Return when the database can be written.

        Raises:
            Unavailable, InfrastructureError: as `write`.
        """

    async def aclose(self) -> None:
        """Finish what was begun, refuse what comes later, and let go of the database."""
