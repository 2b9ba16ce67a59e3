"""Where a thing is (status) and how it ended (conclusion): the field's words, see docs/glossary.md."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where a run, job or step is."""

    WAITING = "waiting"
    """Something it needs has not ended yet."""
    QUEUED = "queued"
    """It could start; nothing has taken it yet."""
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class Conclusion(StrEnum):
    """How a run, job or step ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"

    @property
    def as_result(self) -> str:
        """Return the word that `needs.<id>.result` and `steps.<id>.outcome` show for it.

        The contexts know four words only; a job that ran out of time is a failure there
        (GitHub documentation, `needs` context).
        """
        return "failure" if self is Conclusion.TIMED_OUT else self.value


class FailureClass(StrEnum):
    """Whose fault a failure was: decides whether trying again can help (requirement Q8)."""

    USER = "user"
    """A step said no: an exit code, a time limit the workflow set."""
    INFRASTRUCTURE = "infrastructure"
    """The world said no: engine, registry, disk, network."""
    SYSTEM = "system"
    """We said no: a fault of Pawl's own."""
