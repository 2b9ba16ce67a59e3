"""Checks against the grammar: keys, types, values."""

from __future__ import annotations

from pawl.core.diagnostics.catalogue.entry import Entry, job, steps, text
from pawl.core.diagnostics.diagnostic import Severity

STRUCTURE = (
    Entry(
        code="empty-workflow",
        title="The file holds no workflow",
        explanation="A workflow is a mapping with at least the keys `on` and `jobs`.",
        bad="# nothing yet\n",
        good=job(""),
    ),
    Entry(
        code="empty-action",
        title="The file holds no action",
        explanation="An action is a mapping with at least the keys `name`, `description` and `runs`.",
        bad="- run: make\n",
        good=text(
            """
            name: Build
            description: Builds it
            runs: {using: composite, steps: [{run: make, shell: bash}]}
            """
        ),
        kind="action",
    ),
    Entry(
        code="more-findings",
        title="There are more findings than are listed",
        explanation="At most 500 errors and 500 warnings of a file are listed: a file with more is most "
        "likely no workflow.",
        bad=job("envs: {A: b}\n"),
        good=job("env: {A: b}\n"),
        severity=Severity.WARNING,
        limits={"diagnostics": 0},
    ),
    Entry(
        code="unknown-key",
        title="An unknown key",
        explanation="Keys that nobody reads are errors, because they are mostly misspelt.",
        bad=job("env:\n  A: b\ntimeout-minute: 5\n"),
        good=job("env:\n  A: b\ntimeout-minutes: 5\n"),
    ),
    Entry(
        code="missing-key",
        title="A key is missing",
        explanation="A workflow needs `on` and `jobs`, a job `runs-on` or `uses`, a step something to do.",
        bad="on: push\njobs:\n  build:\n    steps:\n      - run: make\n",
        good=job(""),
    ),
    Entry(
        code="wrong-type",
        title="A value of the wrong kind",
        explanation="For example a text where a number belongs: `timeout-minutes: '5'` is a text, "
        "because it is "
        "quoted.",
        bad=job("timeout-minutes: '5'\n"),
        good=job("timeout-minutes: 5\n"),
    ),
    Entry(
        code="wrong-value",
        title="None of the words allowed here",
        explanation="Events, activity types, permission levels and the like are fixed words.",
        bad=job("permissions:\n  contents: readonly\n"),
        good=job("permissions:\n  contents: read\n"),
    ),
    Entry(
        code="expression-not-allowed",
        title="An expression where only a fixed value may stand",
        explanation="Some things must be known before anything can be evaluated: events, needs, ids, "
        "shells of the "
        "whole workflow.",
        bad=steps("- id: ${{ format('a') }}\n  run: make\n"),
        good=steps("- id: a\n  run: make\n"),
    ),
    Entry(
        code="insert-directive",
        title="`${{ insert }}` in a value",
        explanation="As a whole key it puts the mapping behind it in; nowhere else does it mean anything.",
        bad=job("env:\n  A: ${{ insert }}\n"),
        good=job("env:\n  ${{ insert }}: ${{ fromJSON(vars.MORE) }}\n"),
    ),
)
