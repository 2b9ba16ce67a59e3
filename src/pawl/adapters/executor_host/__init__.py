"""Runs jobs as plain processes of this machine, with no isolation."""

from __future__ import annotations

from pawl.adapters.executor_host.executor import HostExecutor

__all__ = ["HostExecutor"]
