"""The numbers that reporting goes by. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass

_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingRules:
    """How a server tells others.

    Attributes:
        url: where people reach the server, without a slash at the end; "" for no links.
        hold: for how long a status or notice is one server's that sends it: so long it takes until another
            goes on after a crash.
        patience: how long sending may take; less than `hold`, so that nobody sends what is another's.
        at_once: statuses, and notices, that one server sends at a time.
        of_one: the same for one project or destination.
        first_delay, longest_delay: between two tries: doubled from the first to the longest.
        give_up: after how long a status or notice that cannot be sent is given up.
        disable_after: how long everything sent to a destination has to fail before nothing more is sent.
        statuses, notices, streaks: how long these are kept.
        tidy_every: between two looks at what is too old.
    """

    url: str = ""
    hold: float = 40.0
    patience: float = 30.0
    at_once: int = 16
    of_one: int = 4
    first_delay: float = 5.0
    longest_delay: float = 1800.0
    give_up: float = _DAY
    disable_after: float = 3 * _DAY
    statuses: float = 30 * _DAY
    notices: float = 30 * _DAY
    streaks: float = 365 * _DAY
    tidy_every: float = 3600.0

    def link(self, run: int) -> str:
        """Return the address of a run's page, "" where the server does not know its own."""
        return f"{self.url}/runs/{run}" if self.url else ""

    def delay(self, tries: int, fraction: float) -> float:
        """Return how long to wait after that many failures; `fraction` (0 to 1) spreads it."""
        return min(self.longest_delay, self.first_delay * 2.0 ** min(tries, 20)) * (0.75 + fraction / 2)
