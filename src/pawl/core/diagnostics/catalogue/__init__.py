"""Every check by its code: what it means, why it matters, a text that draws it and one that does not.

`docs/reference/checks.md` is made from this, and the tests run every example.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pawl.core.diagnostics.catalogue.calls import CALLS
from pawl.core.diagnostics.catalogue.entry import Entry
from pawl.core.diagnostics.catalogue.expressions import EXPRESSIONS
from pawl.core.diagnostics.catalogue.jobs import JOBS
from pawl.core.diagnostics.catalogue.security import SECURITY
from pawl.core.diagnostics.catalogue.steps import STEPS
from pawl.core.diagnostics.catalogue.structure import STRUCTURE
from pawl.core.diagnostics.catalogue.triggers import TRIGGERS
from pawl.core.diagnostics.catalogue.yaml import YAML

SECTIONS: Mapping[str, tuple[Entry, ...]] = MappingProxyType(
    {
        "YAML": YAML,
        "Structure": STRUCTURE,
        "Expressions": EXPRESSIONS,
        "Triggers": TRIGGERS,
        "Jobs": JOBS,
        "Steps": STEPS,
        "Calls of reusable workflows": CALLS,
        "Security": SECURITY,
    }
)
"""The checks as the documentation orders them."""

CATALOGUE: Mapping[str, Entry] = MappingProxyType(
    {entry.code: entry for section in SECTIONS.values() for entry in section}
)
"""The checks by code."""

__all__ = ["CATALOGUE", "SECTIONS", "Entry"]
