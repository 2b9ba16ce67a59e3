"""Run scripts: whatever the text around it, an outsider's value is never part of the script."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.core.diagnostics import Span
from pawl.core.expressions import Untrusted
from pawl.core.steps.scripts import Evaluated, ScriptPart, build_script
from pawl.core.steps.shells import ShellKind

MARKER = "zZvalueZz"
pieces = st.sampled_from(
    [
        "@@",
        "@@",
        "echo ",
        " ",
        "\n",
        ";",
        "|",
        "&&",
        '"',
        "'",
        "$(",
        ")",
        "{ ",
        "}",
        "$",
        "\\",
        "`",
        "<<E\n",
        "\nE\n",
        "#",
        "x=",
        "a[",
        "a=(",
        "[ ",
        "]",
        "[[ ",
        "]]",
        "${x:-",
        "$((",
        "((",
        "$'",
        "<(",
        ">",
        "<<<",
        "case x in",
        "eval ",
        "@'\n",
        "\n'@",
        '@"',
        "`",
        "$env:",
        "\0",
        "\ue000",
    ]
)


@pytest.mark.parametrize("kind", list(ShellKind))
@given(texts=st.lists(pieces, max_size=14))
@settings(max_examples=60, deadline=None)
def test_the_value_is_in_a_variable_or_the_script_is_refused(kind: ShellKind, texts: list[str]) -> None:
    value = Untrusted(f"{MARKER}'\"`$(x)")
    parts: list[ScriptPart] = [
        Evaluated(value=value, source="x", span=Span.at(1, 1)) if text == "@@" else text for text in texts
    ]

    script = build_script(parts, kind)

    assert MARKER not in script.text
    if not script.diagnostics:
        assert set(script.env.values()) <= {value}
        assert bool(script.env) == ("@@" in texts)
