"""The machine's own clock and randomness."""

from __future__ import annotations

from pawl.adapters.system.clocks import SteadyClock, SystemClock
from pawl.adapters.system.randomness import SystemRandomness

__all__ = ["SteadyClock", "SystemClock", "SystemRandomness"]
