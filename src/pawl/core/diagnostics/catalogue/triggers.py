"""Checks of `on`."""

from __future__ import annotations

from pawl.core.diagnostics.catalogue.entry import Entry, triggers
from pawl.core.diagnostics.diagnostic import Severity

TRIGGERS = (
    Entry(
        code="cron",
        title="Not a cron line",
        explanation="Five fields: minute, hour, day of month, month, day of week. `@daily` and the "
        "like are not "
        "known.",
        bad=triggers("schedule:\n  - cron: '0 25 * * *'\n"),
        good=triggers("schedule:\n  - cron: '0 23 * * *'\n"),
    ),
    Entry(
        code="cron-too-often",
        title="A schedule more often than every five minutes",
        explanation="GitHub does not start a schedule more often than that. Pawl does, but a "
        "workflow that must run "
        "on both should not rely on it.",
        bad=triggers("schedule:\n  - cron: '*/2 * * * *'\n"),
        good=triggers("schedule:\n  - cron: '*/5 * * * *'\n"),
        severity=Severity.WARNING,
    ),
    Entry(
        code="timezone",
        title="Not the name of a time zone",
        explanation="Time zones are IANA names such as `Europe/Berlin` or `UTC`; offsets are none.",
        bad=triggers("schedule:\n  - cron: '0 3 * * *'\n    timezone: +02:00\n"),
        good=triggers("schedule:\n  - cron: '0 3 * * *'\n    timezone: Europe/Berlin\n"),
    ),
    Entry(
        code="filter-conflict",
        title="A filter and its opposite",
        explanation="`branches` and `branches-ignore` cannot be used together for one event, nor the "
        "pairs for "
        "tags and paths. Patterns that begin with `!` take out again.",
        bad=triggers("push:\n  branches: [main]\n  branches-ignore: [wip]\n"),
        good=triggers("push:\n  branches: [main, '!wip']\n"),
    ),
    Entry(
        code="filter-too-long",
        title="A filter with too many patterns",
        explanation="Every changed file is compared with every pattern, so there may be 1,000 in one filter.",
        bad=triggers("push:\n  paths: [a/**, b/**]\n"),
        good=triggers("push:\n  paths: ['**']\n"),
        limits={"patterns": 1},
    ),
    Entry(
        code="filter-pattern",
        title="A filter pattern that is broken or useless",
        explanation="`*` matches anything but `/`, `**` everything; `?` and `+` repeat the character "
        "before them; "
        "`[a-z]` is one of a set. Broken patterns are errors, useless ones warnings.",
        bad=triggers("push:\n  branches: ['v[0-9']\n"),
        good=triggers("push:\n  branches: ['v[0-9]']\n"),
    ),
    Entry(
        code="filter-matches-nothing",
        title="A filter of nothing but `!` patterns",
        explanation="Such patterns take out of what earlier ones took in; alone they match nothing, "
        "so the workflow "
        "never starts.",
        bad=triggers("push:\n  branches: ['!wip']\n"),
        good=triggers("push:\n  branches: ['**', '!wip']\n"),
        severity=Severity.WARNING,
    ),
    Entry(
        code="event-without-effect",
        title="An event that never happens as it is written",
        explanation="`workflow_run` must name the workflows to wait for, `schedule` its times.",
        bad=triggers("workflow_run:\n"),
        good=triggers("workflow_run:\n  workflows: [Build]\n"),
        severity=Severity.WARNING,
    ),
    Entry(
        code="input-options",
        title="A choice without options, or options without a choice",
        explanation="`options` belong to inputs of the type `choice`, which need them.",
        bad=triggers("workflow_dispatch:\n  inputs:\n    size:\n      type: choice\n"),
        good=triggers(
            "workflow_dispatch:\n  inputs:\n    size:\n      type: choice\n      options: [s, l]\n"
        ),
    ),
    Entry(
        code="input-default",
        title="A default that does not fit its input",
        explanation="The default of a boolean is `true` or `false` without quotes, that of a number "
        "a number, that "
        "of a choice one of its options.",
        bad=triggers(
            "workflow_dispatch:\n  inputs:\n    deploy:\n      type: boolean\n      default: 'yes'\n"
        ),
        good=triggers(
            "workflow_dispatch:\n  inputs:\n    deploy:\n      type: boolean\n      default: true\n"
        ),
    ),
    Entry(
        code="dispatch-input",
        title="An input given by hand that does not fit",
        explanation="Only planning can tell: an input that the workflow does not declare, one that is "
        "required and was not given, or a value that is not of the declared type.",
        bad="",
        good=triggers("workflow_dispatch:\n  inputs:\n    size:\n      type: number\n"),
    ),
    Entry(
        code="too-many-needs",
        title="The jobs need each other too often",
        explanation="Only planning counts them: what a job needs and what those jobs need, over all jobs. "
        "A chain of 2,400 jobs is still planned.",
        bad="",
        good=triggers("push:\n"),
    ),
    Entry(
        code="plan-expression",
        title="An expression that cannot be evaluated for this event",
        explanation="Only planning can tell: a condition, name, matrix or default whose expression fails "
        "with the values of the event at hand.",
        bad="",
        good=triggers("push:\n"),
    ),
)
