"""The numbers that the intake goes by. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass

_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeRules:
    """How a server treats deliveries.

    Attributes:
        hold: for how long a delivery is one server's that works on it; renewed meanwhile. So long it takes
            until another goes on after a crash.
        at_once: deliveries, of different projects, that one server works on at a time.
        first_delay, longest_delay: between two tries: doubled from the first to the longest.
        give_up: after how long a delivery that cannot be worked on is given up.
        vanished_tries: how often a commit is looked for that is not there: forges tell before they can show.
        fault_tries: how often a delivery is tried that meets a fault of Pawl's own.
        catch_up: how old a time of a schedule may be, at most, to be made up for.
        reread: how often the schedules of a default branch are read anew without a push to it.
        poll_grace: how long a head that no webhook told has to stay so before it is taken for a lost one.
        bodies: how long the body of a delivery is kept once it is done.
        deliveries: the same of all else about it.
        heads: how long a commit that a ref is not at any more is remembered.
        tidy_every: between two looks at what is too old.
    """

    hold: float = 20.0
    at_once: int = 16
    first_delay: float = 5.0
    longest_delay: float = 300.0
    give_up: float = _DAY
    vanished_tries: int = 4
    fault_tries: int = 5
    catch_up: float = 12 * 3600.0
    reread: float = 3600.0
    poll_grace: float = 60.0
    bodies: float = 7 * _DAY
    deliveries: float = 90 * _DAY
    heads: float = 30 * _DAY
    tidy_every: float = 3600.0
