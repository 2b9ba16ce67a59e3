"""`runs-on`: groups (actions/languageservices, converter/job/runs-on.ts)."""

from __future__ import annotations

from collections.abc import Iterator

from pawl.core.diagnostics import Diagnostic
from pawl.core.workflow.fields import has_expression, text_of
from pawl.core.workflow.nodes import Mapping
from pawl.core.workflow.rules.subject import Subject, error

_PREFIXES = ("org", "organization", "ent", "enterprise")


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield `runs-on-group`."""
    for job in subject.jobs:
        if not isinstance(job.runs_on, Mapping):
            continue
        node = job.runs_on.get("group")
        group = text_of(node)
        if group is None or has_expression(node):
            continue
        prefix, slash, name = group.text.partition("/")
        if slash and (prefix not in _PREFIXES or not name or "/" in name):
            expected = "a name, `organization/name` or `enterprise/name`"
            message = f"found the group `{group.text[:60]}`, expected {expected}"
            yield error("runs-on-group", message, group.span)
