"""Starter workflows: which one fits a folder, and its text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

_YAML_WORDS = frozenset({"true", "false", "null"})
_HEAD = """\
# Made by `pawl init`. Try it here with `pawl run`; a forge runs the same file.
name: CI

on:
  push:
    branches: [{branch}]
  pull_request:
  workflow_dispatch:

permissions:
  contents: read

jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """The steps for one kind of project: name and script each. `found` says by what it was recognised."""

    found: str
    steps: tuple[tuple[str, str], ...]
    note: str = ""


def choose_starter(root: Path) -> Starter:
    """Return the starter for the project in `root`: the first kind whose files are there."""
    if any((root / name).is_file() for name in ("pyproject.toml", "setup.py", "requirements.txt")):
        return _python(root)
    if (root / "package.json").is_file():
        return _node(root)
    if (root / "go.mod").is_file():
        steps = (("Vet", "go vet ./..."), ("Test", "go test ./..."))
        return Starter(found="Go, by go.mod", steps=steps, note="container: golang:1")
    if (root / "Cargo.toml").is_file():
        steps = (("Build", "cargo build --all-targets"), ("Test", "cargo test"))
        return Starter(found="Rust, by Cargo.toml", steps=steps, note="container: rust:1")
    if target := _make_target(root):
        return Starter(found="make, by Makefile", steps=((f"Make {target}", f"make {target}"),))
    hello = "echo 'Replace this step with your build and tests.'"
    return Starter(found="no kind of project recognised", steps=(("Hello", hello),))


def draw_workflow(starter: Starter, *, branch: str = "main") -> str:
    """Return the workflow file."""
    plain = re.fullmatch(r"[A-Za-z][\w./-]*", branch) and branch.lower() not in _YAML_WORDS
    text = _HEAD.format(branch=branch if plain else json.dumps(branch))
    if starter.note:
        comment = f"    # Where the image of ubuntu-latest lacks the tools:  {starter.note}\n"
        text = text.replace("    steps:\n", f"{comment}    steps:\n")
    for name, script in starter.steps:
        text += f"\n      - name: {name}\n"
        if "\n" in script:
            text += "        run: |\n" + "".join(f"          {one}\n" for one in script.split("\n"))
        else:
            text += f"        run: {script}\n"
    return text


def _python(root: Path) -> Starter:
    lines = ["python3 -m venv .venv", ". .venv/bin/activate", "python -m pip install --quiet --upgrade pip"]
    if (root / "requirements.txt").is_file():
        lines.append("pip install -r requirements.txt")
    if any((root / name).is_file() for name in ("pyproject.toml", "setup.py")):
        lines.append("pip install -e .")
    has_tests = any((root / name).exists() for name in ("tests", "test", "pytest.ini", "conftest.py"))
    test = "pip install --quiet pytest\npython -m pytest" if has_tests else "python -m compileall -q ."
    return Starter(
        found="Python, by its project files",
        steps=(("Install", "\n".join(lines)), ("Test", f". .venv/bin/activate\n{test}")),
        note="container: python:3",
    )


def _node(root: Path) -> Starter:
    has_lock = (root / "package-lock.json").is_file()
    install = "npm ci" if has_lock else "npm install"
    return Starter(
        found="Node.js, by package.json",
        steps=(("Install", install), ("Test", "npm test --if-present")),
        note="container: node:22",
    )


def _make_target(root: Path) -> str | None:
    makefile = next(
        (root / name for name in ("Makefile", "makefile", "GNUmakefile") if (root / name).is_file()), None
    )
    if makefile is None:
        return None
    text = makefile.read_text(encoding="utf-8", errors="replace")[:200_000]
    targets = re.findall(r"^([A-Za-z][A-Za-z0-9_-]*):(?!=)", text, re.MULTILINE)
    return next(
        (name for name in ("test", "check", "all") if name in targets), targets[0] if targets else None
    )
