from __future__ import annotations

import json

import pytest

from pawl.cli.findings.checked import CheckedFile
from pawl.cli.findings.machine import to_github, to_json, to_sarif
from pawl.cli.findings.text import draw_findings
from pawl.cli.terminal.screen import ASCII, Screen
from pawl.core.diagnostics import Diagnostic, Position, Severity, Span

SCREEN = Screen(colour=False, is_terminal=False, glyphs=ASCII, width=60, height=24)


def checked(text: str, *diagnostics: Diagnostic) -> CheckedFile:
    return CheckedFile(path="ci.yml", text=text, diagnostics=diagnostics)


def finding(span: Span, **more: object) -> Diagnostic:
    fields = {"code": "unknown-key", "message": "unexpected key `step`", "span": span} | more
    return Diagnostic(**fields)  # type: ignore[arg-type]  # the test's own fields


def test_a_finding_shows_place_code_line_carets_and_hint() -> None:
    one = finding(
        Span.at(2, 3, 4), hint="did you mean `steps`?", related=((Span.at(1, 1), "first defined here"),)
    )
    assert draw_findings(checked("jobs:\n  step: x\n", one), SCREEN) == (
        "ci.yml:2:3: error[unknown-key]: unexpected key `step`\n"
        "    2 |   step: x\n"
        "      |   ^^^^\n"
        "  hint: did you mean `steps`?\n"
        "  ci.yml:1:1: note: first defined here\n"
    )


@pytest.mark.parametrize(
    ("text", "span", "drawn"),
    [
        ("\tstep: x", Span.at(1, 2, 4), ["    1 |     step: x", "      |     ^^^^"]),
        ("名前: x", Span.at(1, 5, 1), ["    1 | 名前: x", "      |       ^"]),
        ("a: b\nc: d", Span(Position(1, 4), Position(2, 3)), ["    1 | a: b", "      |    ^"]),
        ("a: \x1b[2Jb", Span.at(1, 1, 1), ["    1 | a: b", "      | ^"]),
        ("abc", Span.at(1, 4, 0), ["    1 | abc", "      |    ^"]),
        ("abc", Span.at(9, 1, 1), []),
        ("x" * 30 + " bad " + "y" * 60, Span.at(1, 32, 3), ["    1 | " + "x" * 30 + " bad " + "y" * 16]),
    ],
)
def test_carets_stand_under_what_is_meant(text: str, span: Span, drawn: list[str]) -> None:
    shown = draw_findings(checked(text, finding(span)), SCREEN).splitlines()[1:]
    assert shown[: len(drawn)] == drawn
    assert all(len(one) <= SCREEN.width for one in shown)


def test_a_long_line_is_shown_around_the_place() -> None:
    text = "x" * 200 + "HERE" + "y" * 200
    shown = draw_findings(checked(text, finding(Span.at(1, 201, 4))), SCREEN).splitlines()
    at = shown[1].index("HERE")
    assert shown[2][at : at + 5] == "^^^^"
    assert len(shown[1]) <= SCREEN.width


def test_json_has_every_field() -> None:
    found = to_json([checked("x", finding(Span.at(1, 2, 3), severity=Severity.WARNING))])
    assert found["summary"] == {"files": 1, "errors": 0, "warnings": 1}
    assert found["diagnostics"] == [
        {
            "path": "ci.yml",
            "line": 1,
            "column": 2,
            "end_line": 1,
            "end_column": 5,
            "severity": "warning",
            "code": "unknown-key",
            "message": "unexpected key `step`",
            "hint": None,
            "related": [],
        }
    ]


def test_sarif_points_from_results_to_rules() -> None:
    two = (finding(Span.at(1, 1, 1)), finding(Span.at(2, 1, 1), code="needs-cycle"))
    log = to_sarif([checked("x\ny", *two)], {"needs-cycle": "Jobs wait for each other"})
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == ["unknown-key", "needs-cycle"]
    assert rules[0]["shortDescription"]["text"] == "Jobs wait for each other"
    assert json.loads(json.dumps(log))["version"] == "2.1.0"


def test_github_commands_are_escaped() -> None:
    one = finding(Span.at(3, 5, 2), message="100% wrong\nreally", hint="a: b")
    assert to_github([checked("", one)]) == (
        "::error file=ci.yml,line=3,endLine=3,col=5,endColumn=7,title=unknown-key::"
        "100%25 wrong%0Areally (a: b)\n"
    )
