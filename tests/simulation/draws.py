"""What a seed draws: streams of numbers by name, and which faults happen how often."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass


def stream(seed: int, name: str) -> random.Random:
    """Return a stream of its own, so that one more draw in one place moves nothing in another."""
    return random.Random(f"{seed}:{name}")  # noqa: S311 - repeatable on purpose


@dataclass(kw_only=True)
class Faults:
    """How likely each fault is. 0 is never.

    Attributes:
        drop_request, drop_reply, duplicate, late: for each message.
        partition, pause, kill, reboot: for each worker and about every ten virtual seconds.
        crash: of the server, for each of its awaits and commits.
        full, unknown, again: for each write of the store: it fails before, after, or its work is run twice.
        logs_full: for each append to a log.
        jump: that the server's clock jumped when it comes back.
        slow: that the server takes its time between two steps.
        drain: for each renewal, that the worker wants nothing new until the next one.
        rogue: for each message about a lease, that another worker sends the same.
        probe: for each look at an attempt, that its worker asks for what must be refused.
    """

    drop_request: float = 0.0
    drop_reply: float = 0.0
    duplicate: float = 0.0
    late: float = 0.0
    partition: float = 0.0
    pause: float = 0.0
    kill: float = 0.0
    reboot: float = 0.0
    crash: float = 0.0
    full: float = 0.0
    unknown: float = 0.0
    again: float = 0.0
    logs_full: float = 0.0
    jump: float = 0.0
    slow: float = 0.0
    drain: float = 0.0
    rogue: float = 0.0
    probe: float = 0.0

    def heal(self) -> None:
        """Let nothing go wrong from now on."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, 0.0)

    def __str__(self) -> str:
        """Return those that are on."""
        on = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return ", ".join(f"{name} {value:.3g}" for name, value in on if value) or "none"


_STRONGEST = {
    "drop_request": 0.25,
    "drop_reply": 0.25,
    "duplicate": 0.3,
    "late": 0.15,
    "partition": 0.2,
    "pause": 0.15,
    "kill": 0.2,
    "reboot": 0.08,
    "crash": 0.02,
    "full": 0.1,
    "unknown": 0.1,
    "again": 0.3,
    "logs_full": 0.15,
    "jump": 0.5,
    "slow": 0.3,
    "drain": 0.3,
    "rogue": 0.1,
    "probe": 0.15,
}


def draw_faults(draw: random.Random) -> Faults:
    """Return a swarm: most kinds are off, so that what is on gets far (some seeds have none)."""
    faults = Faults()
    share = draw.choice((0.0, 0.15, 0.3, 0.3, 0.5))
    for name, strongest in _STRONGEST.items():
        on, strength = draw.random() < share, draw.uniform(0.1, 1.0)
        if on:
            setattr(faults, name, strongest * strength)
    return faults
