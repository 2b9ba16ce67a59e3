"""Run scripts: how each value reaches the shell."""

from __future__ import annotations

import pytest

from pawl.core.diagnostics import Span
from pawl.core.expressions import Untrusted
from pawl.core.steps.scripts import MAX_VARIABLE, Evaluated, Script, ScriptPart, build_script
from pawl.core.steps.shells import ShellKind


def script_of(template: str, kind: ShellKind, *, value: str = "v", trusted: bool = False) -> Script:
    parts: list[ScriptPart] = []
    for number, text in enumerate(template.split("@@")):
        if number:
            given = value if trusted else Untrusted(value)
            parts.append(Evaluated(value=given, source="github.head_ref", span=Span.at(3, number)))
        parts.append(text)
    return build_script(parts, kind)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("echo @@", 'echo "${PAWL_EXPR_1}"'),
        ('echo "a @@"', 'echo "a ${PAWL_EXPR_1}"'),
        ("echo 'a @@'", "echo 'a '\"${PAWL_EXPR_1}\"''"),
        ("echo $(x '@@')", "echo $(x ''\"${PAWL_EXPR_1}\"'')"),
        ("cat <<E\n@@\nE\n", "cat <<E\n${PAWL_EXPR_1}\nE\n"),
        ("echo # @@", "echo # ${PAWL_EXPR_1}"),
    ],
)
def test_a_reference_is_written_as_its_quoting_needs(template: str, text: str) -> None:
    script = script_of(template, ShellKind.BASH)

    assert (script.text, dict(script.env), script.diagnostics) == (text, {"PAWL_EXPR_1": "v"}, ())


def test_a_trusted_value_is_spliced_as_on_github() -> None:
    script = script_of("echo @@; @@", ShellKind.CUSTOM, value="a; b", trusted=True)

    assert (script.text, dict(script.env)) == ("echo a; b; a; b", {})


def test_the_same_expression_takes_one_variable() -> None:
    script = script_of('echo @@ "@@"', ShellKind.SH)

    assert script.text == 'echo "${PAWL_EXPR_1}" "${PAWL_EXPR_1}"'


def test_a_variable_of_the_script_is_not_overwritten() -> None:
    assert "PAWL_EXPR__1" in script_of("echo $PAWL_EXPR_1 @@", ShellKind.SH).env


def test_a_refusal_names_the_place_and_the_mend() -> None:
    script = script_of('echo @@\neval "@@"', ShellKind.BASH)

    (found,) = script.diagnostics
    assert (found.code, found.span) == ("untrusted-in-script", Span.at(3, 2))
    assert "`${{ github.head_ref }}`" in found.message
    assert "`eval`" in found.message
    assert "env:" in (found.hint or "")


@pytest.mark.parametrize("kind", [ShellKind.PYTHON, ShellKind.CMD, ShellKind.CUSTOM])
def test_other_languages_take_no_outsiders_value(kind: ShellKind) -> None:
    assert script_of("print('@@')", kind).diagnostics


@pytest.mark.parametrize("value", ["a\0b", "x" * (MAX_VARIABLE + 1)])
def test_a_value_that_fits_no_variable_is_refused(value: str) -> None:
    assert script_of("echo @@", ShellKind.BASH, value=value).diagnostics


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Write-Host @@", "Write-Host ${env:PAWL_EXPR_1}"),
        ('Write-Host "a @@"', 'Write-Host "a ${env:PAWL_EXPR_1}"'),
        ("if (@@ -eq 'main') { 1 }", "if (${env:PAWL_EXPR_1} -eq 'main') { 1 }"),
        ("$x = @@", "$x = ${env:PAWL_EXPR_1}"),
        ('$x = @"\n@@\n"@', '$x = @"\n${env:PAWL_EXPR_1}\n"@'),
        ("# @@", "# ${env:PAWL_EXPR_1}"),
    ],
)
def test_powershell_refers_to_the_environment(template: str, text: str) -> None:
    script = script_of(template, ShellKind.PWSH)

    assert (script.text, script.diagnostics) == (text, ())


@pytest.mark.parametrize(
    "template",
    [
        "@@",
        "& @@",
        '& "@@"',
        ". @@",
        "x '@@'",
        "x @'\n@@\n'@",
        "x `@@",
        "x $@@",
        'x "$@@"',
        'x "$(y @@)"',
        "[@@]::x()",
        "$x.@@()",
        "iex @@",
        "x; Invoke-Expression $y; echo @@",
        "bash -c @@",
        "x; @@",
        "x | @@",
        "& (@@)",
        'x "@@',
        "x '@@",
        'x @"\n@@',
        "{ @@ }",
    ],
)
def test_powershell_takes_no_value_where_it_could_be_code(template: str) -> None:
    assert script_of(template, ShellKind.PWSH).diagnostics
