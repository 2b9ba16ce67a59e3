"""The pages of limits say what the code says, and leave no limit out."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src/pawl"
PAGES = ("docs/reference/limits.md", "docs/reference/server-limits.md")
PAGE = "\n".join((ROOT / page).read_text("utf-8") for page in PAGES)
ROW = re.compile(r"^\| [^|]+ \| ([^|]+) \| `([\w.]+):([\w.]+)` \|$", re.MULTILINE)
ROWS = ROW.findall(PAGE)
UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "seconds": 1, "minutes": 60}


def _stated(text: str) -> float | None:
    """Return the number that a cell of the page states, None for one that says there is none."""
    found = re.fullmatch(r"([\d,.]+)(?: (\w+))?", text.strip())
    return float(found[1].replace(",", "")) * UNITS[found[2] or ""] if found else None


def _in_code(module: str, name: str) -> Any:
    value = importlib.import_module(f"pawl.{module}")
    for part in name.split("."):
        value = getattr(value, part)
        if isinstance(value, type):
            value = value()
    return value


@pytest.mark.parametrize(("stated", "module", "name"), ROWS, ids=[f"{row[1]}:{row[2]}" for row in ROWS])
def test_a_limit_of_the_page_is_that_of_the_code(stated: str, module: str, name: str) -> None:
    assert _stated(stated) == _in_code(module, name)


def _limits_of(path: Path) -> list[str]:
    """Return the limits that a module states: its public `MAX_*` and the fields of its `*Limits`."""
    module = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
    found = []
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name.startswith(("MAX_", "MOST_")):
                found.append(f"{module}:{name}")
        elif isinstance(node, ast.ClassDef) and node.name.endswith("Limits"):
            kind = getattr(importlib.import_module(f"pawl.{module}"), node.name)
            found += [f"{module}:{node.name}.{field.name}" for field in dataclasses.fields(kind)]
    return found


PART_OF_A_WISH = {"ports.executor:Limits.memory", "ports.executor:Limits.cpus"}
"""What a workflow may ask for; docs/reference/executors.md says what happens without."""


def test_every_limit_of_the_code_stands_on_the_page() -> None:
    told = {f"{module}:{name}" for _, module, name in ROWS}
    parts = ("adapters", "core", "engine", "ports")
    paths = [path for part in parts for path in (SOURCES / part).rglob("*.py")]
    assert sorted({limit for path in paths for limit in _limits_of(path)} - told - PART_OF_A_WISH) == []
