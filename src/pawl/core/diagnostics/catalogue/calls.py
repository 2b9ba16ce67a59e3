"""Checks of calls of reusable workflows whose text is at hand."""

from __future__ import annotations

from pawl.core.diagnostics.catalogue.entry import Entry, text
from pawl.core.diagnostics.diagnostic import Severity

_REFERENCE = "./.github/workflows/deploy.yml"
_CALLED = text(
    """
    on:
      workflow_call:
        inputs:
          target: {type: string, required: true}
        secrets:
          token: {required: true}
    jobs:
      deploy:
        permissions: {contents: write}
        runs-on: ubuntu-latest
        steps:
          - run: make deploy
    """
)


def _call(with_: str = "{target: live}", secrets: str = "inherit", permissions: str = "write") -> str:
    return text(
        f"""
        on: push
        permissions: {{contents: {permissions}}}
        jobs:
          deploy:
            uses: {_REFERENCE}
            with: {with_}
            secrets: {secrets}
        """
    )


CALLS = (
    Entry(
        code="call-reference",
        title="Not a workflow to call",
        explanation="`./.github/workflows/file.yml` of the same commit, or "
        "`owner/repository/.github/workflows/file.yml@ref`. The job will fail.",
        bad="on: push\njobs:\n  deploy:\n    uses: owner/repository/.github/workflows/deploy.yml\n",
        good="on: push\njobs:\n  deploy:\n    uses: owner/repository/.github/workflows/deploy.yml@v1\n",
        severity=Severity.WARNING,
    ),
    Entry(
        code="call-target",
        title="A workflow that cannot be called",
        explanation="The called file needs `workflow_call` under `on`, and must be free of errors itself.",
        bad=_call(),
        good=_call(),
        called={_REFERENCE: "on: push\njobs: {a: {runs-on: x, steps: [{run: make}]}}\n"},
    ),
    Entry(
        code="call-input",
        title="An input that does not fit the called workflow",
        explanation="Only declared inputs may be passed, required ones must be, and the type counts.",
        bad=_call(with_="{target: live, sped: fast}"),
        good=_call(),
        called={_REFERENCE: _CALLED},
    ),
    Entry(
        code="call-secret",
        title="A secret that does not fit the called workflow",
        explanation="Only declared secrets may be passed and required ones must be; `secrets: "
        "inherit` passes all.",
        bad=_call(secrets="{tokn: x, token: y}"),
        good=_call(),
        called={_REFERENCE: _CALLED},
    ),
    Entry(
        code="call-permissions",
        title="A called workflow that wants more than its caller has",
        explanation="The permissions of a called workflow's jobs cannot exceed those of the job that "
        "calls it.",
        bad=_call(permissions="read"),
        good=_call(),
        called={_REFERENCE: _CALLED},
    ),
)
