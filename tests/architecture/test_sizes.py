"""The budgets of CONTRIBUTING.md: small files, small functions, narrow ports."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def _functions(path: Path) -> list[tuple[str, int]]:
    tree = ast.parse(path.read_text("utf-8"))
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", _length(node))
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of the body without its docstring, which may be as long as it needs."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_no_file_is_over_600_lines() -> None:
    too_long = {
        str(path.relative_to(ROOT)): _lines(path) for path in [*SOURCES, *TESTS] if _lines(path) > 600
    }
    assert too_long == {}


def test_the_median_file_is_under_150_lines() -> None:
    assert statistics.median(_lines(path) for path in SOURCES if path.name != "__init__.py") < 150


def test_no_function_is_over_80_lines() -> None:
    assert [entry for path in SOURCES for entry in _functions(path) if entry[1] > 80] == []


def test_functions_are_small() -> None:
    lengths = sorted(length for path in SOURCES for _, length in _functions(path))
    assert statistics.median(lengths) < 10
    assert lengths[int(len(lengths) * 0.9)] <= 35


def test_a_port_has_at_most_ten_methods() -> None:
    wide = {}
    for path in (ROOT / "src/pawl/ports").glob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and any(
                getattr(base, "id", "") == "Protocol" for base in node.bases
            ):
                methods = [
                    item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
                ]
                wide[node.name] = len(methods)
    assert wide, "no port was found: this test looks in the wrong place"
    assert {name: count for name, count in wide.items() if count > 10} == {}
