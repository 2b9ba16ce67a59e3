"""Runs nothing: processes do what their environment says. For tests of everything above the executor."""

from __future__ import annotations

from pawl.adapters.executor_fake.executor import FakeExecutor, FakeMachine

__all__ = ["FakeExecutor", "FakeMachine"]
