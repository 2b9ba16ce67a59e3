"""What is looked at before a server serves: whether its places for bytes take any."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from pawl.core.model.errors import InfrastructureError, PawlError, Unavailable
from pawl.server.log_lines import redact

PATIENCE = 20.0

Place = tuple[str, str, Callable[[], Awaitable[None]]]
"""The setting, where it says that bytes go, and what tries to keep some there."""


async def check_places(places: Iterable[Place]) -> None:
    """Return when all places take bytes.

    A disk without room keeps no server from starting: `/ready` tells of it, and room is all that it takes.

    Raises:
        InfrastructureError: one does not; it is named.
    """
    for setting, place, check in places:
        try:
            async with asyncio.timeout(PATIENCE):
                await check()
        except TimeoutError:
            raise _unusable(setting, place, f"no answer within {PATIENCE:g} seconds") from None
        except PawlError as error:
            if not (isinstance(error, Unavailable) and error.full):
                raise _unusable(setting, place, error.message, error.hint) from error


def _unusable(setting: str, place: str, why: str, hint: str | None = None) -> InfrastructureError:
    return InfrastructureError(
        f"the {setting} cannot be kept in {redact(place)}: {why}",
        hint=hint or f"look after it, or name another place: `server.{setting}`, --{setting}",
    )
