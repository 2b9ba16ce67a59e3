"""The machine's own clock, randomness, memory and disk."""

from __future__ import annotations

from pawl.adapters.system.clocks import SteadyClock, SystemClock
from pawl.adapters.system.memory import share_arenas
from pawl.adapters.system.randomness import SystemRandomness
from pawl.adapters.system.spreading import spread_folders

__all__ = ["SteadyClock", "SystemClock", "SystemRandomness", "share_arenas", "spread_folders"]
