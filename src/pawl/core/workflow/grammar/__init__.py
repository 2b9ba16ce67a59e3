"""The grammar as data: each key of workflow and action files, its type, scope and meaning."""

from __future__ import annotations

from pawl.core.workflow.grammar.containers import CONTAINERS
from pawl.core.workflow.grammar.jobs import JOBS
from pawl.core.workflow.grammar.shapes import BUILT_IN, Grammar
from pawl.core.workflow.grammar.steps import IN_SCOPE, STEPS
from pawl.core.workflow.grammar.triggers import TRIGGERS
from pawl.core.workflow.grammar.workflow import WORKFLOW

WORKFLOW_GRAMMAR: Grammar = {**BUILT_IN, **WORKFLOW, **TRIGGERS, **JOBS, **STEPS, **IN_SCOPE, **CONTAINERS}
"""Everything reachable from the definition `workflow`."""

__all__ = ["WORKFLOW_GRAMMAR", "Grammar"]
