"""Checks of expressions. Most are drawn wherever an expression stands."""

from __future__ import annotations

from pawl.core.diagnostics.catalogue.entry import Entry, job, steps
from pawl.core.diagnostics.diagnostic import Severity

EXPRESSIONS = (
    Entry(
        code="expression-syntax",
        title="An expression that cannot be read",
        explanation="Texts stand in single quotes, there is no arithmetic and no `?:`, and `${{` "
        "needs its `}}`.",
        bad=job('if: github.ref == "refs/heads/main"\n'),
        good=job("if: github.ref == 'refs/heads/main'\n"),
    ),
    Entry(
        code="expression-too-long",
        title="An expression that is too long",
        explanation="GitHub allows 21,000 characters for an expression, and for a text with "
        "expressions in it. Put "
        "a long script in a file, or its values in `env`.",
        bad=steps("- run: |\n    echo ${{ github.sha }}\n    # " + "x" * 21_000 + "\n"),
        good=steps("- run: |\n    echo ${{ github.sha }}\n"),
    ),
    Entry(
        code="expression-too-deep",
        title="An expression with too many levels",
        explanation="GitHub allows 50 levels of parentheses, calls and operators.",
        bad=job(f"if: '{'!' * 60}true'\n"),
        good=job("if: true\n"),
    ),
    Entry(
        code="expression-evaluation",
        title="An expression that failed while it was evaluated",
        explanation="Only a run can tell: `fromJSON` of something that is no JSON, a `format` with "
        "too few values, "
        "a result that grows too large.",
        bad="",
        good=job("if: fromJSON('true')\n"),
    ),
    Entry(
        code="unknown-context",
        title="A context that does not exist here",
        explanation="Each key sees its own contexts: `jobs.<id>.if` has no `matrix` and no `env`, "
        "because it is "
        "decided before there are any; secrets are not visible in conditions.",
        bad=job("if: matrix.os == 'linux'\n"),
        good=job("if: github.ref_name == 'main'\n"),
    ),
    Entry(
        code="unknown-function",
        title="A function that does not exist here",
        explanation="`success()`, `failure()`, `cancelled()` and `always()` exist in conditions, "
        "`hashFiles()` only "
        "where the workspace does.",
        bad=job("env:\n  A: ${{ toYaml(github.event) }}\n"),
        good=job("env:\n  A: ${{ toJSON(github.event) }}\n"),
    ),
    Entry(
        code="wrong-arity",
        title="Too many or too few arguments",
        explanation="The function takes another number of arguments.",
        bad=job("if: contains(github.ref)\n"),
        good=job("if: contains(github.ref, 'release')\n"),
    ),
    Entry(
        code="unknown-property",
        title="A property that is never there",
        explanation="The context's properties are known, and this is none of them: the value is always null.",
        bad=job("env:\n  A: ${{ github.refname }}\n"),
        good=job("env:\n  A: ${{ github.ref_name }}\n"),
        severity=Severity.WARNING,
    ),
    Entry(
        code="unknown-reference",
        title="A job, step, matrix value or input that is not there",
        explanation="`needs` holds the jobs that this job needs directly, `steps` the steps with an "
        "id of their own, "
        "`matrix` the names of the job's matrix, `inputs` what the workflow declares. Anything else is null.",
        bad=steps("- {id: version, run: make version}\n- run: echo ${{ steps.versoin.outputs.number }}\n"),
        good=steps("- {id: version, run: make version}\n- run: echo ${{ steps.version.outputs.number }}\n"),
        severity=Severity.WARNING,
    ),
    Entry(
        code="type-mismatch",
        title="A comparison that can have one result only",
        explanation="A whole object never equals a text; a text has no properties.",
        bad=job("if: github == 'main'\n"),
        good=job("if: github.ref_name == 'main'\n"),
        severity=Severity.WARNING,
    ),
    Entry(
        code="condition-always-true",
        title="A condition that is always true",
        explanation="Text around `${{ }}`, even a blank or `&& x`, makes the condition a string, and "
        "a string that "
        "is not empty is true. Write the whole condition without `${{ }}`.",
        bad=job("if: ${{ github.ref_name == 'main' }} && github.event_name == 'push'\n"),
        good=job("if: github.ref_name == 'main' && github.event_name == 'push'\n"),
        severity=Severity.WARNING,
    ),
)
