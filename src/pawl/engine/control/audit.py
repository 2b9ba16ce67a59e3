"""The audit log: who did what that only some may do, in the same transaction as the change (I31)."""

from __future__ import annotations

from pawl.core.model.plan import Json
from pawl.engine.control.moment import Moment
from pawl.engine.control.requests import AuditEntry
from pawl.ports.store import Transaction

_LAST = "audit:last"


def note(tx: Transaction, moment: Moment | float, *, by: str, action: str, target: str) -> None:
    """Add an entry; `moment` is when, or the time alone."""
    now = moment if isinstance(moment, float) else moment.now
    last = tx.keys.get(_LAST)
    number = (last if isinstance(last, int) else 0) + 1
    entry: Json = {"time": now, "by": by, "action": action, "target": target}
    tx.keys.put(f"audit:{number}", entry, time=now, lasting=True)
    tx.keys.put(_LAST, number, time=now, lasting=True)


def entries(tx: Transaction, after: int, limit: int) -> tuple[AuditEntry, ...]:
    """Return the entries after the one of that number, in order."""
    found = []
    for number in range(after + 1, after + 1 + limit):
        stored = tx.keys.get(f"audit:{number}")
        if not isinstance(stored, dict):
            break
        time = stored["time"]
        found.append(
            AuditEntry(
                number=number,
                time=float(time) if isinstance(time, int | float) else 0.0,
                by=str(stored["by"]),
                action=str(stored["action"]),
                target=str(stored["target"]),
            )
        )
    return tuple(found)
