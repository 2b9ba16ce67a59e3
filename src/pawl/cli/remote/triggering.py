"""What `pawl trigger` sends: a workflow as of a commit, the event, and the commit's files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from pawl.adapters.git.tree import CommitFacts, Commits
from pawl.cli.findings.checked import CheckedFile
from pawl.cli.local_event import EventWish, build_event, choose_event
from pawl.core.diagnostics import has_errors
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.model.errors import UsageError
from pawl.core.model.events import Event
from pawl.core.model.plan import Json
from pawl.core.workflow.files import WORKFLOW_FOLDERS, workflows_in_order
from pawl.core.workflow.parse import parse_workflow
from pawl.core.workflow.syntax import Workflow

_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedWorkflow:
    """A workflow file as it is in a commit; `workflow` is None where errors leave nothing to run."""

    checked: CheckedFile
    workflow: Workflow | None

    @property
    def path(self) -> str:
        """Return where it is in the repository."""
        return self.checked.path

    @property
    def name(self) -> str:
        """Return the name it shows, its path where it gives none."""
        named = self.workflow is not None and self.workflow.name is not None
        return self.workflow.name.text if named and self.workflow and self.workflow.name else self.path


async def find_committed(commits: Commits, facts: CommitFacts, wanted: str) -> CommittedWorkflow:
    """Return the workflow called `wanted` by path, file name or name, as it is in the commit.

    Raises:
        UsageError: there is none, or several.
    """
    paths = workflows_in_order(await commits.list(facts.sha, WORKFLOW_FOLDERS))
    wanted_path = wanted.removeprefix("./")
    by_file = [path for path in paths if wanted_path in names_of(path)]
    if len(by_file) == 1:
        return await _read(commits, facts, by_file[0])
    if wanted.endswith((".yml", ".yaml")):
        return await _read(commits, facts, wanted_path)
    found = [await _read(commits, facts, path) for path in paths]
    named = [each for each in found if each.name.casefold() == wanted.casefold()]
    if len(named) == 1:
        return named[0]
    where = f"in commit {facts.sha[:10]}"
    if len(named) > 1:
        listed = ", ".join(f"`{each.path}`" for each in named)
        raise UsageError(
            f"several workflows {where} are called `{wanted}`: {listed}", hint="name one by its path"
        )
    names = [each.name for each in found] + [PurePosixPath(path).stem for path in paths]
    listed = ", ".join(f"`{name}`" for name in dict.fromkeys(names)) or "none; is it committed?"
    raise UsageError(
        f"there is no workflow `{wanted}` {where}", hint=did_you_mean(wanted, names) or f"there are {listed}"
    )


def names_of(path: str) -> frozenset[str]:
    """Return what a workflow file may be called: its path, its name, its name without the ending."""
    pure = PurePosixPath(path)
    return frozenset({path, pure.name, pure.stem})


async def _read(commits: Commits, facts: CommitFacts, path: str) -> CommittedWorkflow:
    content = await commits.read(facts.sha, path)
    if len(content) > _MOST_BYTES:
        raise UsageError(f"`{path}` is larger than {_MOST_BYTES >> 20} MiB")
    parsed = parse_workflow(content, path)
    checked = CheckedFile(
        path=path, text=content.decode("utf-8-sig", "replace"), diagnostics=parsed.diagnostics
    )
    broken = has_errors(parsed.diagnostics)
    return CommittedWorkflow(checked=checked, workflow=None if broken else parsed.workflow)


def event_of(workflow: Workflow, wish: EventWish, facts: CommitFacts) -> Event:
    """Return the event that starts it: the one wished, else `workflow_dispatch` where it listens to that.

    Raises:
        UsageError: as `build_event`.
    """
    listened = [trigger.event.text for trigger in workflow.triggers]
    by_hand = wish.name is None and "workflow_dispatch" in listened
    name = "workflow_dispatch" if by_hand else choose_event(workflow, wish)
    if facts.state.tag and not (wish.branch or wish.tag):
        wish = replace(wish, tag=facts.state.tag)
    return build_event(name, wish, facts.state, facts.changed, workflow)


def notice_changes(facts: CommitFacts, ref: str | None, notice: Callable[[str], None]) -> None:
    """Say that what is not committed stays out, where the commit checked out is meant and there is any."""
    if ref is None and facts.is_dirty:
        notice(f"changes that are not committed stay out: commit {facts.sha[:10]} runs, as it is")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What is sent to start a run; `request_id` makes sending it again harmless."""

    file: CommittedWorkflow
    event: Event
    variables: Mapping[str, str]
    priority: int
    request_id: str


def trigger_body(upload: Upload, source: str) -> dict[str, Json]:
    """Return the body of `POST /api/runs` (docs/reference/api.md)."""
    event = upload.event
    body: dict[str, Json] = {
        "path": upload.file.path,
        "workflow": upload.file.checked.text,
        "repository": event.repository,
        "default_branch": event.default_branch,
        "ref": event.ref,
        "sha": event.sha,
        "event": event.name,
        "action": event.action or "",
        "base_ref": event.base_ref,
        "head_ref": event.head_ref,
        "actor": event.actor,
        "from_fork": event.from_fork,
        "payload": json.loads(json.dumps(event.payload)),
        "inputs": dict(event.inputs),
        "variables": dict(upload.variables),
        "source": source,
        "priority": upload.priority,
        "request_id": upload.request_id,
    }
    if event.changed_files is not None:
        body["changed_files"] = list(event.changed_files)
    return body
