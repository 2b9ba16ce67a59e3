"""Every example in the docs is executed.

A fenced block says by its language what it is:

- `yaml` holding `jobs:` is a workflow and must be free of errors; after `<!-- finds: CODE -->` it must
  yield that code, after `<!-- not yet: TEXT -->` the plan must say so of one of its jobs;
- `console` holds commands after `$ ` with what they print: run in a copy of examples/demo, or of the
  example the page is about, that a block's commands share. In the expected output a line `...` stands for
  any lines and `…` for any text in a line. After `<!-- with: server -->` the project is committed, and a
  server of its own runs meanwhile. After `<!-- with: demo -->` they are run in the working copy of a demo
  that is kept, and one that does not yet show what the page says is tried again: what a push starts takes
  its time;
- `python` is executed; `toml` is a `pawl.toml` and must be valid.

A block of any language after `<!-- file: PATH -->` is a file of the project for the console blocks after
it on the same page. Other languages (`sh` for commands that set up machines, `text`) are for reading:
`make demo` and `make test` are what CI runs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

import pawl
from pawl.cli.settings_file import read_settings
from tests.e2e.server import serving
from tests.e2e.showing import showing

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = [ROOT / "examples/README.md", *(ROOT / "examples").glob("*/*.md")]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *EXAMPLES])
CATALOGUE = "docs/reference/checks.md"  # its examples are to be read by a parser, not to be run
FENCE = re.compile(
    r"(?P<marks>(?:^<!-- (?:finds|file|not yet|with): [^\n]+? -->\n+)*)"
    r"^```(?P<language>\w+)[^\n]*\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
MARK = re.compile(r"<!-- (finds|file|not yet|with): ([^\n]+?) -->")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block of a page, with its marks, and the files that the page gave before it."""

    page: str
    line: int
    language: str
    body: str
    finds: str | None
    not_yet: str | None
    beside: str | None
    files: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        return f"{self.page}:{self.line}"


def _blocks(*languages: str) -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        files: tuple[tuple[str, str], ...] = ()
        for match in FENCE.finditer(text):
            marks = dict(MARK.findall(match["marks"]))
            block = Block(
                page=str(page.relative_to(ROOT)),
                line=text.count("\n", 0, match.start()) + 1,
                language=match["language"],
                body=match["body"],
                finds=marks.get("finds"),
                not_yet=marks.get("not yet"),
                beside=marks.get("with"),
                files=files,
            )
            if "file" in marks:
                files = (*files, (marks["file"], block.body))
            if block.language in languages:
                found.append(block)
    return found


WORKFLOWS = [block for block in _blocks("yaml", "yml") if re.search(r"^jobs:", block.body, re.MULTILINE)]


@pytest.mark.parametrize("block", WORKFLOWS, ids=lambda block: block.id)
def test_a_workflow_in_the_docs_says_what_the_page_says(block: Block) -> None:
    planned = pawl.plan(block.body, path=".github/workflows/example.yml")
    if block.finds:
        assert block.finds in {diagnostic.code for diagnostic in planned.diagnostics}
        return
    assert [str(found) for found in planned.diagnostics if found.severity == "error"] == []
    told = [line for job in planned.plan.jobs for line in job.unsupported] if planned.plan else []
    if block.not_yet:
        assert any(block.not_yet in line for line in told), told
    elif block.page != CATALOGUE:
        assert told == [], "what does not run yet is marked with `not yet`"


CONSOLES = _blocks("console")


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """Run the console blocks that were asked for, as many at once as there are processors.

    Returns what is wrong by the block's id, None for what is as its page says.
    """
    names = {item.name for item in request.session.items}
    blocks = [block for block in CONSOLES if any(f"[{block.id}]" in name for name in names)]
    folders = [tmp_path_factory.mktemp("console") for _ in blocks]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip((block.id for block in blocks), pool.map(_play, blocks, folders), strict=True))


@pytest.mark.parametrize("block", CONSOLES, ids=lambda block: block.id)
def test_a_console_example_prints_what_the_page_says(block: Block, played: dict[str, str | None]) -> None:
    assert played[block.id] is None, played[block.id]


def _play(block: Block, folder: Path) -> str | None:
    """Run a block's commands in a project of their own; return what is not as the page says, if anything."""
    project = folder / "demo"
    parts = Path(block.page).parts
    example = ROOT / "examples" / (parts[1] if parts[0] == "examples" else "demo")
    shutil.copytree(example, project, ignore=shutil.ignore_patterns(".pawl"))
    subprocess.run(["git", "init", "-q", "-b", "main", str(project)], check=True)
    for name, content in block.files:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content, "utf-8")
    if block.beside == "demo":
        return _play_beside_demo(folder, block)
    if block.beside == "server":
        with serving(folder, project) as environment:
            return _play_in(project, block, environment)
    return _play_in(project, block, {})


def _play_beside_demo(folder: Path, block: Block) -> str | None:
    with showing(folder, "--executor", "host", "--keep") as shown:
        shown.wait_for("Everything goes on until Ctrl-C")
        (place,) = shown.folder.glob("pawl-demo-*")
        environment = {"PAWL_DATA": str(place / "data"), "HOME": str(place)}
        return _play_in(place / "words", block, environment, seconds=60)


def _play_in(project: Path, block: Block, environment: dict[str, str], seconds: float = 0) -> str | None:
    for command, expected in _commands(block.body):
        end = time.monotonic() + seconds
        printed = _run(command, project, environment).strip("\n")
        while not (fits := _pattern(expected).fullmatch(printed)) and time.monotonic() < end:
            printed = _run(command, project, environment).strip("\n")
        if not fits:
            return f"$ {command}\n{printed}\n\nthe page says:\n{expected}"
    return None


def _commands(body: str) -> list[tuple[str, str]]:
    parts = re.split(r"^\$ (.*)\n", body, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def _run(command: str, folder: Path, more: dict[str, str]) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PAWL_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PAWL_EXECUTOR": "host",
        "PAWL_DATA": str(folder.parent / "no-server"),
        "NO_COLOR": "1",
        "COLUMNS": "100",
        **more,
    }
    result = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    return result.stdout


def _pattern(expected: str) -> re.Pattern[str]:
    lines = []
    for line in expected.strip("\n").splitlines():
        if line.strip() == "...":
            lines.append(r"(?:.*(?:\n|\Z))*?")
        else:
            lines.append(".*".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ ]*(?:\n|\Z)")
    return re.compile("".join(lines))


@pytest.mark.parametrize("block", _blocks("python"), ids=lambda block: block.id)
def test_a_python_example_runs(block: Block) -> None:
    # Pages are ours and reviewed; running them is the point.
    exec(compile(block.body, block.id, "exec"), {})  # noqa: S102 - see above


@pytest.mark.parametrize("block", _blocks("toml"), ids=lambda block: block.id)
def test_a_settings_example_is_valid(block: Block) -> None:
    # What is read here is without the section of the server, which is checked and left to it.
    assert read_settings(block.body.encode(), block.id) or "[server]" in block.body


def test_a_console_example_that_prints_something_else_is_told() -> None:
    assert _pattern("a\n...\nz…\n").fullmatch("a\nb\nc\nzebra")
    assert _pattern("a\n...\n").fullmatch("a\nb\nc")
    assert not _pattern("a\n...\nz\n").fullmatch("a\nb\n")
