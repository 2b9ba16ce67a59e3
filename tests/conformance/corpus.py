"""Real workflow and action files of public repositories: each must parse without an error.

The harness sees to it that none is slow.
"""

from __future__ import annotations

import re
from pathlib import Path

from pawl.core.diagnostics import Severity
from pawl.core.model.plan import Outlook
from pawl.core.planning.plan import plan_workflow
from pawl.core.planning.render import templates_in
from pawl.core.triggers import stub_event
from pawl.core.workflow.action import parse_action
from pawl.core.workflow.parse import Parsed, parse_workflow
from pawl.core.workflow.syntax import Workflow

_PLACEHOLDERS = {"$cron-daily": "0 3 * * *", "$cron-weekly": "0 3 * * 1", "$default-branch": "main"}
"""What GitHub puts in when somebody starts from a template (actions/starter-workflows, README)."""

_REJECTED = frozenset(
    {
        "jekyll+jekyll/spelling.yml",  # `tags-ignore` under pull_request: the official parser rejects it too
        "actions+starter-workflows/_templates/code-scanning__nowsecure.yml",  # `{{ ... }}` to be filled in
        "actions+starter-workflows/_templates/code-scanning__nowsecure-mobile-sbom.yml",  # the same
    }
)


def files(folder: Path) -> list[Path]:
    """Return the workflow and action files of the corpus."""
    found = sorted(path for path in folder.rglob("*") if path.suffix in {".yml", ".yaml"})
    return [path for path in found if path.relative_to(folder).as_posix() not in _REJECTED]


def check_file(path: Path) -> str | None:
    """Return None when the file parses without errors and plans, else what is wrong."""
    text = path.read_text(encoding="utf-8")
    for placeholder, value in _PLACEHOLDERS.items() if "_templates" in path.parts else ():
        text = re.sub(re.escape(placeholder), value, text)
    is_action = "_actions" in path.parts
    parsed = parse_action(text) if is_action else parse_workflow(text, path.name)
    errors = [found for found in parsed.diagnostics if found.severity is Severity.ERROR]
    if errors:
        return "; ".join(f"{found.span.start} {found.code}: {found.message}" for found in errors[:5])
    return check_plan(parsed.workflow) if isinstance(parsed, Parsed) and parsed.workflow else None


def check_plan(workflow: Workflow) -> str | None:
    """Return None when a made-up event starts the workflow and it plans, its literal matrices expanded."""
    planned = plan_workflow(workflow, stub_event(workflow))
    if planned.plan is None:
        return "; ".join(found.message for found in planned.diagnostics[:5])
    if planned.plan.trigger.outlook is not Outlook.RUNS:
        return f"not started: {planned.plan.trigger.reason}"
    waiting = [
        str(job.key)
        for job in planned.plan.jobs
        if job.combinations is None and not any(templates_in([job.matrix, job.name]))
    ]
    return f"matrices not expanded: {', '.join(waiting)}" if waiting else None
