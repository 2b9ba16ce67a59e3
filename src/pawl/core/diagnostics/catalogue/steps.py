"""Checks of steps."""

from __future__ import annotations

from pawl.core.diagnostics.catalogue.entry import Entry, steps
from pawl.core.diagnostics.diagnostic import Severity

STEPS = (
    Entry(
        code="step-id",
        title="Not the id of a step",
        explanation="The rules are those of the ids of jobs.",
        bad=steps("- id: 1st\n  run: make\n"),
        good=steps("- id: first\n  run: make\n"),
    ),
    Entry(
        code="duplicate-step-id",
        title="Two steps with the same id",
        explanation="`steps.<id>` could mean either.",
        bad=steps("- {id: a, run: make}\n- {id: a, run: make test}\n"),
        good=steps("- {id: a, run: make}\n- {id: b, run: make test}\n"),
    ),
    Entry(
        code="too-many-steps",
        title="Too many steps",
        explanation="A job may have 1000 steps.",
        bad=steps("- run: one\n- run: two\n- run: three\n"),
        good=steps("- run: one\n- run: two\n"),
        limits={"steps": 2},
    ),
    Entry(
        code="shell",
        title="Not a shell",
        explanation="`bash`, `sh`, `pwsh`, `powershell`, `cmd`, `python`, or a command with `{0}` "
        "where the script's "
        "file goes. The step will fail.",
        bad=steps("- run: echo $HOME\n  shell: zsh\n"),
        good=steps("- run: echo $HOME\n  shell: zsh -e {0}\n"),
        severity=Severity.WARNING,
    ),
    Entry(
        code="deprecated-command",
        title="A command of the past",
        explanation="`::set-output` and `::save-state` can be made by anything a step prints; "
        "`::set-env` and "
        "`::add-path` are refused. Write to the files instead.",
        bad=steps('- run: echo "::set-output name=a::b"\n'),
        good=steps('- run: echo "a=b" >> "$GITHUB_OUTPUT"\n'),
        severity=Severity.WARNING,
    ),
    Entry(
        code="unknown-step",
        title="A step that is not there to wait for",
        explanation="`wait` and `cancel` name background steps that stand before them.",
        bad=steps("- {id: server, run: serve, background: true}\n- wait: sever\n"),
        good=steps("- {id: server, run: serve, background: true}\n- wait: server\n"),
    ),
    Entry(
        code="wait-all",
        title="A `wait-all` that does not wait",
        explanation="`wait-all:` stands alone or is `true`.",
        bad=steps("- {run: serve, background: true}\n- wait-all: false\n"),
        good=steps("- {run: serve, background: true}\n- wait-all:\n"),
    ),
)
