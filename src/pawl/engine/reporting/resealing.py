"""Sealing what destinations are signed with under a new key (engine/control/resealing.py)."""

from __future__ import annotations

from dataclasses import replace

from pawl.engine.reporting.desk import destination_scope
from pawl.ports.sealing import Sealing
from pawl.ports.store import Transaction


def reseal_destinations(tx: Transaction, sealing: Sealing) -> int:
    """Seal the secrets of all destinations anew in a transaction, and return how many they were."""
    count = 0
    for number in [each.id for each in tx.destinations.all() if each.secret]:
        found = tx.destinations.get(number, lock=True)
        if found is not None:
            scope = destination_scope(found.project, found.target)
            tx.destinations.save(replace(found, secret=sealing.rotate(found.secret, scope)))
            count += 1
    return count
