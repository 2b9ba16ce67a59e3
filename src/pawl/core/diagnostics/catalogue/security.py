"""Checks of what outsiders could do."""

from __future__ import annotations

from pawl.core.diagnostics.catalogue.entry import Entry, steps
from pawl.core.diagnostics.diagnostic import Severity

_CHECKOUT = "- uses: actions/checkout@v4\n"
_HEAD = _CHECKOUT + "  with: {ref: '${{ github.event.pull_request.head.sha }}'}\n"

SECURITY = (
    Entry(
        code="untrusted-in-script",
        title="A text that outsiders choose becomes part of a script",
        explanation="Titles, branch names, commit messages and the like come from anybody. Pawl never "
        "splices them into a script: they reach it as a variable, and where that is not safe (another "
        "language than a shell's, `eval`) the step is refused. Elsewhere the same file would run what the "
        "text says, so set it in `env` yourself.",
        bad=steps("- run: echo '${{ github.event.issue.title }}'\n"),
        good=steps('- run: echo "$TITLE"\n  env:\n    TITLE: ${{ github.event.issue.title }}\n'),
        severity=Severity.WARNING,
    ),
    Entry(
        code="privileged-checkout",
        title="An outsider's code in a workflow with secrets",
        explanation="`pull_request_target` and `workflow_run` run with the repository's secrets and token. A "
        "checkout of the pull request's head brings its author's code next to them.",
        bad=steps(_HEAD).replace("on: push", "on: pull_request_target"),
        good=steps(_HEAD).replace("on: push", "on: pull_request"),
        severity=Severity.WARNING,
    ),
    Entry(
        code="unpinned-action",
        title="A third party's action by tag or branch",
        explanation="A tag can be moved to other code. Pin the commit; tools such as Dependabot keep "
        "it current. "
        "Actions of `actions/` and `github/` are not reported: who runs them trusts their owner.",
        bad=steps("- uses: someone/deploy@v1\n"),
        good=steps("- uses: someone/deploy@0123456789abcdef0123456789abcdef01234567 # v1\n"),
        severity=Severity.WARNING,
    ),
    Entry(
        code="action-reference",
        title="Not an action",
        explanation="`owner/repository@ref`, `owner/repository/folder@ref`, `./folder`, `$/folder` or "
        "`docker://image`. The step will fail.",
        bad=steps("- uses: actions/checkout\n"),
        good=steps(_CHECKOUT),
        severity=Severity.WARNING,
    ),
)
