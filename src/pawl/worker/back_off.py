"""How long to wait before asking a server again that did not answer."""

from __future__ import annotations

from pawl.core.model.errors import Unavailable

FIRST = 0.1
MOST = 15.0
_DOUBLINGS = 16


def pause(tries: int, fraction: float, *, at_least: float = 0.0) -> float:
    """Return seconds: doubled with every try up to `MOST`, between half and all of it.

    Args:
        tries: how many have failed, from 1.
        fraction: random, from 0 to 1, so that many workers do not ask all at once.
        at_least: what the server asked for.
    """
    longest = min(MOST, FIRST * float(1 << min(tries - 1, _DOUBLINGS)))
    return max(longest * (0.5 + 0.5 * fraction), min(at_least, MOST))


def pause_after(error: Exception, tries: int, fraction: float) -> float:
    """Return seconds to wait after a failed call; what a busy or full server asks for is heeded."""
    # A server that cannot be reached says nothing: 1.0 is then only a default.
    wanted = error.retry_after if isinstance(error, Unavailable) and error.full else 0.0
    return pause(tries, fraction, at_least=wanted)
