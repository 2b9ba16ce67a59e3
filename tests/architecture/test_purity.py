"""The core touches nothing, and exceptions to the rules carry their reason."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

from pawl.core.model import errors

ROOT = Path(__file__).resolve().parents[2]
CORE = sorted((ROOT / "src/pawl/core").rglob("*.py"))
FORBIDDEN_CALLS = {"open", "print", "input", "eval", "exec", "compile", "__import__"}


def test_the_core_opens_no_file_and_prints_nothing() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.func.id}"
        for path in CORE
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS
    ]
    assert found == []


def test_the_core_awaits_nothing() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in CORE
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
    ]
    assert found == []


def test_every_silenced_finding_says_why() -> None:
    bare = re.compile(r"#\s*(?:noqa: [A-Z0-9, ]+|type: ignore(?:\[[\w, -]+\])?|noqa|pragma: no cover)\s*$")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [
            *(ROOT / "src").rglob("*.py"),
            *(ROOT / "tests").rglob("*.py"),
            *(ROOT / "tools").rglob("*.py"),
        ]
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if bare.search(line)
    ]
    assert found == []


def test_every_exception_of_ours_has_a_default_message() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.PawlError)
    ]
    assert len(kinds) >= 5
    for kind in kinds:
        assert kind().message.strip()
        assert not kind().message.endswith(".")


def test_no_file_names_a_registry_host() -> None:
    hosts = "|".join(("pypi" + r"\.org", "python" + "hosted", r"registry\." + "npmjs", r"deb\." + "debian"))
    result = subprocess.run(
        ["git", "grep", "-nIE", hosts, "--", ".", ":!*.lock"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == ""
