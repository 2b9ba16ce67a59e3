"""Workflows that outsiders could turn against their owner.

Sources: GitHub docs, "Security hardening for GitHub Actions"; GitHub Security Lab; rhysd/actionlint; zizmor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pawl.core.diagnostics import Diagnostic, Span
from pawl.core.expressions import Template, parse_template, possibly_untrusted
from pawl.core.workflow.fields import text_of
from pawl.core.workflow.nodes import Mapping, Scalar
from pawl.core.workflow.rules.subject import Subject, steps_of, warning
from pawl.core.workflow.syntax import RunStep, UsesStep

_SHA = re.compile(r"[0-9a-fA-F]{40}\Z|[0-9a-fA-F]{64}\Z")
_TRUSTED_OWNERS = frozenset({"actions", "github"})
"""Whoever runs a workflow of GitHub's trusts these anyway; everybody else's tags can be moved."""

_PRIVILEGED = frozenset({"pull_request_target", "workflow_run"})
_HEAD = re.compile(
    r"github\.(?:head_ref|event\.(?:pull_request\.head\.(?:sha|ref)|workflow_run\.head_(?:sha|branch))"
    r"|event\.pull_request\.merge_commit_sha)|refs/pull/",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield `untrusted-in-script`, `privileged-checkout`, `unpinned-action` and `action-reference`."""
    privileged = any(trigger.event.text in _PRIVILEGED for trigger in subject.workflow.triggers)
    for job in subject.jobs:
        for step in steps_of(job):
            if isinstance(step, RunStep):
                yield from _check_script(step.run, subject)
            elif isinstance(step, UsesStep):
                yield from _check_reference(step)
                if privileged:
                    yield from _check_checkout(step)


def _check_script(run: Scalar, subject: Subject) -> Iterator[Diagnostic]:
    template = subject.expressions.templates.get(run.text)
    if template is None or not subject.expressions.may_be_untrusted(template):
        return
    # The remembered template has the places of the first file position with this text.
    located: Template = parse_template(run.text, locate=run.locate)[0]
    for expression in located.expressions:
        for path in possibly_untrusted(expression):
            message = f"outsiders choose `{path.text[:100]}`, and here it becomes part of a script"
            hint = (
                "Pawl hands it over as a variable, or refuses the step where that is not safe;"
                " set it in `env:` and read that variable"
            )
            span = Span(expression.locate(path.start), expression.locate(path.end))
            yield warning("untrusted-in-script", message, span, hint)


def _reference_hint(name: str, ref: str) -> str | None:
    """Return what an author most likely meant by a name that is no action."""
    if (inner := name.removeprefix("https://github.com/")) != name:
        return f"leave out the address: `{inner[:60]}@{ref[:40] or 'v1'}`"
    if "/" not in name and name:
        return f"did you forget the owner? `actions/{name[:60]}@{ref[:40] or 'v1'}`"
    return f"say which version: `{name[:60]}@v1`" if name and not ref else None


def _check_reference(step: UsesStep) -> Iterator[Diagnostic]:
    uses = step.uses.text
    if uses.startswith(("./", ".\\", "$/", "docker://")) or not uses or "${{" in uses:
        return
    name, at, ref = uses.partition("@")
    owner, slash, repository = name.partition("/")
    if not (at and ref and owner and slash and repository) or ":" in owner:
        expected = "`owner/repository@ref`, `./folder` or `docker://image`"
        message = f"found the action `{uses[:100]}`, expected {expected}"
        yield warning("action-reference", message, step.uses.span, _reference_hint(name, ref))
    elif owner.lower() not in _TRUSTED_OWNERS and not _SHA.match(ref):
        message = (
            f"`{uses[:100]}` can change under its ref `{ref[:40]}`: whoever owns it chooses what runs here"
        )
        yield warning(
            "unpinned-action", message, step.uses.span, "use the commit: `@<40 hex digits> # version`"
        )


def _check_checkout(step: UsesStep) -> Iterator[Diagnostic]:
    if not step.uses.text.lower().startswith("actions/checkout@") or not isinstance(step.with_, Mapping):
        return
    ref = text_of(step.with_.get("ref"))
    if ref is not None and _HEAD.search(ref.text):
        message = (
            "code of an outsider is checked out in a workflow that has the repository's secrets and token"
        )
        hint = "run it on `pull_request` instead, or never execute anything from this checkout"
        yield warning("privileged-checkout", message, ref.span, hint)
