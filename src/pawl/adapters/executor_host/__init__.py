"""Runs jobs as plain processes of this machine, with no isolation."""

from __future__ import annotations

from pawl.adapters.executor_host.executor import HostExecutor
from pawl.adapters.executor_host.process import stand_back

__all__ = ["HostExecutor", "stand_back"]
