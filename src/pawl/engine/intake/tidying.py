"""What is kept of deliveries and heads, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from pawl.engine.intake.desk import IntakeDesk
from pawl.ports.store import Transaction

_LAST = "intake:tidied"
_AT_ONCE = 200
_BRANCHES_AND_TAGS = ("refs/heads/", "refs/tags/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidied:
    """What was removed: bodies of deliveries, and deliveries."""

    bodies: int = 0
    deliveries: int = 0


async def tidy(desk: IntakeDesk) -> Tidied:
    """Remove what is too old, once in a while, whichever server comes first.

    Raises:
        Unavailable: the store cannot answer.
    """
    now, rules = desk.clock.now(), desk.rules

    def claim(tx: Transaction) -> bool:
        last = tx.keys.get(_LAST)
        if isinstance(last, int | float) and now - rules.tidy_every < last <= now + rules.tidy_every:
            return False
        tx.keys.put(_LAST, now, time=now, lasting=True)
        return True

    if not await desk.write(claim):
        return Tidied()
    bodies = deliveries = 0
    # In small transactions: others write meanwhile.
    while count := await desk.write(lambda tx: tx.deliveries.forget_bodies(now - rules.bodies, _AT_ONCE)):
        bodies += count
    while count := await desk.write(lambda tx: tx.deliveries.purge(now - rules.deliveries, _AT_ONCE)):
        deliveries += count
    for project in await desk.read(lambda tx: tx.projects.all()):
        await desk.write(lambda tx, name=project.name: _forget_heads(tx, name, now - rules.heads))  # type: ignore[misc]  # a default binds the loop's value
    return Tidied(bodies=bodies, deliveries=deliveries)


def _forget_heads(tx: Transaction, project: str, before: float) -> None:
    """Forget old heads, but for the last of a branch or tag: the poll would take it for a new one."""
    for ref, heads in groupby(tx.heads.of_project(project), key=lambda head: head.ref):
        newest = next(heads)
        last = newest.told_at if ref.startswith(_BRANCHES_AND_TAGS) else before
        tx.heads.forget(project, ref, before=min(before, last))
