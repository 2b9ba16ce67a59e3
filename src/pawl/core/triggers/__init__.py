"""Triggers: whether an event starts a workflow, and which filter decided."""

from pawl.core.triggers.match import FilterVerdict, Match, match_trigger
from pawl.core.triggers.stub import stub_event

__all__ = ["FilterVerdict", "Match", "match_trigger", "stub_event"]
