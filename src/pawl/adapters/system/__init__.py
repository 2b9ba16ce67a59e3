"""The machine's own clock, randomness and memory."""

from __future__ import annotations

from pawl.adapters.system.clocks import SteadyClock, SystemClock
from pawl.adapters.system.memory import share_arenas
from pawl.adapters.system.randomness import SystemRandomness

__all__ = ["SteadyClock", "SystemClock", "SystemRandomness", "share_arenas"]
