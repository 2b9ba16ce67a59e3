"""`make bench`: run every benchmark, print the table, keep it with date and commit in RESULTS.md."""

from __future__ import annotations

import importlib
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import Missing, Row

HERE = Path(__file__).resolve().parent
HEADING = "# Results of `make bench`\n\nNewest first. Absolute figures move; compare within a row.\n"
MODULES = (
    "language",
    "command_line",
    "containers",
    "log_path",
    "leases",
    "serving",
    "serving_containers",
    "api_under_load",
    "mirrors",
    "webhooks",
    "push_to_log",
)


def main(names: list[str]) -> int:
    """Run the modules named, or all, and return 1 when a target was missed."""
    rows: list[Row | Missing] = []
    for name in names or MODULES:
        print(f"... {name}", file=sys.stderr, flush=True)
        rows.extend(importlib.import_module(f"benchmarks.{name}").measure())
    text = _report(rows)
    print(text)
    if not names:
        _keep(text)
    return 1 if any(isinstance(row, Row) and row.meets is False for row in rows) else 0


def _report(rows: list[Row | Missing]) -> str:
    lines = [
        f"## {time.strftime('%Y-%m-%d', time.gmtime())}, commit {_commit()}",
        "",
        _machine(),
        "",
        "| id | what | Pawl: median (low-high, runs) | floor | peer | target | met |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines.extend(_line(row) for row in rows)
    return "\n".join(lines) + "\n"


def _line(row: Row | Missing) -> str:
    if isinstance(row, Missing):
        return f"| {row.id} | {row.what} | not measured: {row.why} | | | | |"
    beside = [f"{side[0]}: {side[1]}" if side else "" for side in (row.floor, row.peer)]
    met = {True: "yes", False: "no", None: ""}[row.meets]
    return f"| {row.id} | {row.what} | {row.pawl} | {beside[0]} | {beside[1]} | {row.target} | {met} |"


def _machine() -> str:
    system = f"{platform.system()} {platform.machine()}"
    return f"{system}, {os.cpu_count()} processors, Python {platform.python_version()}"


def _commit() -> str:
    result = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return result.stdout.strip() or "unknown"


def _keep(text: str) -> None:
    """Put the newest results on top of the page, under its heading."""
    page = HERE / "RESULTS.md"
    older = page.read_text("utf-8").removeprefix(HEADING) if page.exists() else ""
    page.write_text(f"{HEADING}\n{text}{older}", "utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
