"""The static check: names by place, arity, types; scopes."""

from __future__ import annotations

import pytest

from pawl.core.diagnostics import Severity, Span
from pawl.core.expressions import ACTION_SCOPES, SCOPES, check_expression, parse_expression
from pawl.core.expressions.types import Scalar, text_object


def findings(text: str, place: str = "step-if") -> list[tuple[str, str]]:
    expression, diagnostics = parse_expression(text)
    assert expression is not None, diagnostics
    return [(item.severity.value, item.code) for item in check_expression(expression, SCOPES[place])]


@pytest.mark.parametrize(
    "text",
    [
        "github.event.pull_request.head.repo.full_name == github.repository",
        "needs.*.result",
        "STEPS.a.outputs.x == 'true'",
        "contains(needs.*.result, 'failure')",
        "github.EVENT_NAME",
        "matrix == null",
        "env.X && vars.Y",
        "runner.os == 'Linux'",
        "hashFiles('a', 'b') != ''",
        "case(github.ref == 'x', 1, 2)",
        "strategy.job-total > 1",
        "job.services.db.ports[5432]",
        "branch == 'main' && event == 'push' && tag == null",
        "fromJSON(env.X).y.z",
        "github.event.commits[0].message",
        "steps.a.outputs['x y']",
        "needs.a.outputs == needs.a.outputs",
        "github[env.X]",
        "(env.A || env.B) == 'x'",
    ],
)
def test_nothing_to_say(text: str) -> None:
    assert findings(text) == []


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("githb.ref", "step-if", "unknown-context"),
        ("secrets.X", "step-if", "unknown-context"),
        ("matrix.x", "job-if", "unknown-context"),
        ("env.x", "job-if", "unknown-context"),
        ("branch", "runs-on", "unknown-context"),
        ("hashFiles('x')", "job-if", "unknown-function"),
        ("always()", "step-env", "unknown-function"),
        ("foo(1)", "step-if", "unknown-function"),
        ("contains(1)", "step-if", "wrong-arity"),
        ("case(1, 2)", "step-if", "wrong-arity"),
        ("case(true, 2, 3, 4)", "step-if", "wrong-arity"),
        ("always(1)", "step-if", "wrong-arity"),
        ("success('x')", "step-if", "wrong-arity"),
        ("hashFiles()", "step-if", "wrong-arity"),
    ],
)
def test_errors(text: str, place: str, code: str) -> None:
    assert findings(text, place) == [("error", code)]


def test_status_functions_of_jobs_may_name_jobs() -> None:
    assert findings("success('a', 'b')", "job-if") == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("github.reff", "unknown-property"),
        ("needs.a.results", "unknown-property"),
        ("steps.a.output.x", "unknown-property"),
        ("github.ref.x", "type-mismatch"),
        ("github == 'x'", "type-mismatch"),
        ("github < 1", "type-mismatch"),
        ("needs.*.result == 'success'", "type-mismatch"),
        ("contains(github, 'x')", "type-mismatch"),
        ("join(env)", "type-mismatch"),
        ("contains('x', github)", "type-mismatch"),
        ("startsWith(env, 'x')", "type-mismatch"),
        ("fromJSON(env)", "type-mismatch"),
        ("format('{0}', env)", "type-mismatch"),
        ("case('x', 1, 2)", "type-mismatch"),
        ("'x' != env", "type-mismatch"),
    ],
)
def test_warnings(text: str, code: str) -> None:
    assert findings(text) == [("warning", code)]


def test_all_findings_come_at_once_in_the_order_of_the_text() -> None:
    expression, _ = parse_expression("foo(githb.ref) || github.reff || contains(1)")
    assert expression is not None
    found = check_expression(expression, SCOPES["step-if"])
    assert [item.span for item in found] == [
        Span.at(1, 1, 3),
        Span.at(1, 5, 5),
        Span.at(1, 26, 4),
        Span.at(1, 34, 11),
    ]


def test_hints_name_the_likely_word() -> None:
    expression, _ = parse_expression("githb.ref || contain('a', 'b') || github.reff")
    assert expression is not None
    hints = [item.hint for item in check_expression(expression, SCOPES["step-if"])]
    assert hints == ["did you mean `github`?", "did you mean `contains`?", "did you mean `ref`?"]


def test_a_caller_may_know_more() -> None:
    scope = SCOPES["step-with"].with_types({"inputs": text_object("name")}).with_contexts("extra")
    expression, _ = parse_expression("inputs.nam && extra.x && inputs.name")
    assert expression is not None
    (found,) = check_expression(expression, scope)
    assert (found.code, found.hint, found.severity) == (
        "unknown-property",
        "did you mean `name`?",
        Severity.WARNING,
    )


def test_scopes_follow_the_official_schemas() -> None:
    assert "secrets" in SCOPES["step-env"].contexts
    assert SCOPES["job-if"].functions == {"always", "failure", "cancelled", "success"}
    assert "secrets" not in ACTION_SCOPES["string-steps-context"].contexts
    assert Scalar.STRING is SCOPES["step-if"].types["branch"]
