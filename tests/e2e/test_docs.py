"""Every example in the docs is executed.

A fenced block says by its language what it is:

- `yaml` holding `jobs:` is a workflow and must be free of errors; after `<!-- finds: CODE -->` it must
  yield that code;
- `console` holds commands after `$ ` with what they print: run in a copy of examples/demo that a block's
  commands share. In the expected output a line `...` stands for any lines and `…` for any text in a line;
- `python` is executed.

Other languages (`sh` for commands that set up machines, `text`, `toml`) are for reading; `make demo` and
`make test` are what tests/e2e/test_demo.py and CI run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import pawl

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "examples").rglob("*.md")])
FENCE = re.compile(
    r"(?:<!-- finds: (?P<code>[\w-]+) -->\n+)?^```(?P<language>\w+)[^\n]*\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a page."""

    page: str
    line: int
    language: str
    body: str
    code: str | None

    @property
    def id(self) -> str:
        return f"{self.page}:{self.line}"


def _blocks(*languages: str) -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            block = Block(str(page.relative_to(ROOT)), line, match["language"], match["body"], match["code"])
            if block.language in languages:
                found.append(block)
    return found


WORKFLOWS = [block for block in _blocks("yaml", "yml") if re.search(r"^jobs:", block.body, re.MULTILINE)]


@pytest.mark.parametrize("block", WORKFLOWS, ids=lambda block: block.id)
def test_a_workflow_in_the_docs_says_what_the_page_says(block: Block) -> None:
    found = pawl.parse_workflow(block.body, block.id).diagnostics
    if block.code:
        assert block.code in {diagnostic.code for diagnostic in found}
    else:
        assert [str(diagnostic) for diagnostic in found if diagnostic.severity == "error"] == []


@pytest.mark.parametrize("block", _blocks("console"), ids=lambda block: block.id)
def test_a_console_example_prints_what_the_page_says(block: Block, tmp_path: Path) -> None:
    project = tmp_path / "demo"
    shutil.copytree(ROOT / "examples/demo", project, ignore=shutil.ignore_patterns(".pawl"))
    subprocess.run(["git", "init", "-q", "-b", "main", str(project)], check=True)
    for command, expected in _commands(block.body):
        printed = _run(command, project)
        assert _pattern(expected).fullmatch(printed.strip()), f"$ {command}\n{printed}"


def _commands(body: str) -> list[tuple[str, str]]:
    parts = re.split(r"^\$ (.*)\n", body, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def _run(command: str, folder: Path) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PAWL_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PAWL_EXECUTOR": "host",
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }
    result = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return result.stdout + (result.stderr if result.returncode else "")


def _pattern(expected: str) -> re.Pattern[str]:
    lines = []
    for line in expected.strip().splitlines():
        if line.strip() == "...":
            lines.append(r"(?:.*\n)*?")
        else:
            lines.append(".*".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ ]*(?:\n|\Z)")
    return re.compile("".join(lines))


@pytest.mark.parametrize("block", _blocks("python"), ids=lambda block: block.id)
def test_a_python_example_runs(block: Block) -> None:
    # Pages are ours and reviewed; running them is the point.
    exec(compile(block.body, block.id, "exec"), {})  # noqa: S102 - see above


LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def _links(page: Path) -> list[str]:
    """Return the page's links to other files of the repository."""
    targets = LINK.findall(page.read_text("utf-8"))
    return [target for target in targets if "://" not in target and not target.startswith("mailto:")]


def test_no_link_between_pages_is_broken() -> None:
    links = [(page, target) for page in PAGES for target in _links(page)]
    assert [f"{page.name} -> {target}" for page, target in links if not (page.parent / target).exists()] == []
