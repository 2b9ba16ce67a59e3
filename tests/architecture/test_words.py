"""The glossary is kept: retired words do not come back as names (docs/glossary.md)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))

RETIRED_IN_NAMES = re.compile(r"(?:^|_)(?:pipelines?|agents?|masters?|slaves?)(?:_|$)", re.IGNORECASE)
RETIRED_CLASS_WORDS = re.compile(r"(?:Build(?!er|In)|Task|Manager|Helper|Info|Data)(?=[A-Z]|$)")
RETIRED_FILES = {"utils", "common", "shared", "helpers", "misc"}


def _names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg


def test_no_identifier_uses_a_retired_word() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in SOURCES
        for line, name in _names(ast.parse(path.read_text("utf-8")))
        if RETIRED_IN_NAMES.search(name)
    ]
    assert found == []


def test_no_class_is_a_manager_helper_or_the_like() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and RETIRED_CLASS_WORDS.search(node.name)
    ]
    assert found == []


def test_no_file_is_a_dumping_ground() -> None:
    assert [path for path in SOURCES if path.stem in RETIRED_FILES or path.parent.name in RETIRED_FILES] == []


def test_retired_words_would_be_found() -> None:
    assert RETIRED_IN_NAMES.search("run_pipeline")
    assert RETIRED_CLASS_WORDS.search("QueueManager")
    assert not RETIRED_CLASS_WORDS.search("Builder")


def test_no_file_carries_a_note_to_self() -> None:
    notes = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if notes.search(line)
    ]
    assert found == []
