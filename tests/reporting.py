"""Reports of a single thing, for tests that are about one: each fault of a piece is raised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pawl.core.model.errors import OffsetConflict, TooLarge
from pawl.core.model.ids import WorkerId
from pawl.core.model.plan import Json
from pawl.core.model.reports import Part, Piece, Report, Reported
from pawl.core.model.work import Lease


async def tell(
    to: Any, lease: Lease, first: int, events: Sequence[Json], *, by: WorkerId | None = None
) -> int:
    """Report events to a link, or to the control engine as worker `by`; return how many are told."""
    return (await _report(to, lease, Report(first=first, events=tuple(events)), by)).told


async def append_log(
    to: Any,
    lease: Lease,
    index: int,
    part: Part,
    offset: int,
    data: bytes,
    *,
    name: str = "n",
    by: WorkerId | None = None,
) -> int:
    """Report one piece of a log and return how much of it there is.

    Raises:
        OffsetConflict, TooLarge: it was not taken.
    """
    piece = Piece(index=index, name=name, part=part, offset=offset, data=data)
    (taken,) = (await _report(to, lease, Report(pieces=(piece,)), by)).pieces
    if taken.conflict:
        raise OffsetConflict("the piece does not go on where the log ends", size=taken.size)
    if taken.refused:
        raise TooLarge(taken.refused)
    return taken.size


async def _report(to: Any, lease: Lease, report: Report, by: WorkerId | None) -> Reported:
    reported: Reported = await (to.report(lease, report) if by is None else to.report(by, lease, report))
    return reported
