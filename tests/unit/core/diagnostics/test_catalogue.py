from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from pawl.core.diagnostics.catalogue import CATALOGUE, SECTIONS

ROOT = Path(__file__).resolve().parents[4]
SPEAKERS = {"error", "warning", "_StopError", "_report", "report", "_note"}


def _codes_in(tree: ast.AST) -> Iterator[str]:
    """Yield the texts given as `code=`, or first to one of the functions that make findings."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        given += node.args[:1] if name in SPEAKERS else []
        yield from (
            value.value for value in given if isinstance(value, ast.Constant) and isinstance(value.value, str)
        )


def test_every_code_that_the_language_uses_is_documented_and_every_documented_one_used() -> None:
    folders = [ROOT / "src/pawl/core" / name for name in ("workflow", "expressions", "planning")]
    used = {
        code
        for folder in folders
        for path in folder.rglob("*.py")
        for code in _codes_in(ast.parse(path.read_text(encoding="utf-8")))
    }
    # These are chosen in a variable, or are what a finding of expressions is called by default.
    chosen = {"wrong-type", "wrong-value", "expression-evaluation", "expression-syntax"}
    assert used | chosen == set(CATALOGUE)


def test_no_code_is_documented_twice() -> None:
    assert sum(map(len, SECTIONS.values())) == len(CATALOGUE)


def test_codes_are_stable_words() -> None:
    assert all(code == code.lower() and code.replace("-", "").isalpha() for code in CATALOGUE)
