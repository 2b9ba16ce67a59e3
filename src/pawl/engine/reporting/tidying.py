"""What is kept of statuses, notices and streaks, and for how long."""

from __future__ import annotations

from pawl.engine.reporting.desk import ReportingDesk
from pawl.ports.store import Transaction

_LAST = "reporting:tidied"
_AT_ONCE = 200


async def tidy(desk: ReportingDesk) -> int:
    """Remove what is too old, once in a while, whichever server comes first; return how many rows.

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

    def remove(tx: Transaction) -> int:
        statuses = tx.statuses.purge(now - rules.statuses, _AT_ONCE)
        notices = tx.notices.purge(now - rules.notices, _AT_ONCE)
        return statuses + notices + tx.streaks.purge(now - rules.streaks, _AT_ONCE)

    removed = 0
    if await desk.write(claim):
        while count := await desk.write(remove):  # in small transactions: others write meanwhile
            removed += count
    return removed
