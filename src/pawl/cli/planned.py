"""Workflows planned for one event of the working tree."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pawl.cli.findings.checked import CheckedFile
from pawl.cli.local_event import EventWish, build_event, choose_event
from pawl.cli.project import Project
from pawl.cli.wiring import open_source
from pawl.cli.workflow_files import WorkflowFile
from pawl.core.model.events import Event
from pawl.core.model.plan import Outlook, Plan
from pawl.core.planning.plan import plan_workflow
from pawl.ports.source import SourceState


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFacts:
    """What the working tree says: where it stands, and what differs from the default branch."""

    state: SourceState
    changed: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """A workflow file with its plan for the event; None when it cannot be planned."""

    file: WorkflowFile
    plan: Plan | None
    checked: CheckedFile

    @property
    def starts(self) -> bool:
        """Return whether the event starts it."""
        return self.plan is not None and self.plan.trigger.outlook is Outlook.RUNS


def look_at_tree(project: Project) -> TreeFacts:
    """Return the facts of the project's working tree."""

    async def look() -> TreeFacts:
        source = open_source(project)
        return TreeFacts(state=await source.state(), changed=await source.changed_files(None))

    return asyncio.run(look())


def event_for(file: WorkflowFile, wish: EventWish, tree: TreeFacts, *, own: bool) -> Event:
    """Return the event to plan a workflow for.

    Args:
        file: the workflow.
        wish: what the command line says.
        tree: where the working tree stands.
        own: without a wish, take the workflow's own most ordinary event; else `push`.

    Raises:
        UsageError: there is no such event.
    """
    workflow = file.workflow
    # What a faulty file listens to may be no event at all; its faults are told by whoever plans it.
    takes_own = own and workflow is not None and file.is_valid
    name = wish.name or (choose_event(workflow, wish) if takes_own and workflow else "push")
    return build_event(name, wish, tree.state, tree.changed, workflow)


def plan_file(file: WorkflowFile, event: Event, variables: Mapping[str, str]) -> PlannedFile:
    """Return the workflow planned for `event`; findings of planning join those of the file.

    Inputs that a workflow without `workflow_dispatch` cannot take are a finding, not an exception.
    """
    if not file.is_valid or file.workflow is None:
        return PlannedFile(file=file, plan=None, checked=file.checked)
    planned = plan_workflow(file.workflow, event, variables=variables)
    diagnostics = (*file.checked.diagnostics, *planned.diagnostics)
    checked = dataclasses.replace(file.checked, diagnostics=diagnostics)
    return PlannedFile(file=file, plan=planned.plan, checked=checked)


def started(files: Sequence[PlannedFile]) -> list[PlannedFile]:
    """Return those that the event starts."""
    return [each for each in files if each.starts]
