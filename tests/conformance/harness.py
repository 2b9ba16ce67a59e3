"""The conformance table: every set of cases with expected answers, run against the core.

A set is a data file of the conformance folder plus a module `set_<name>.py` here that offers
`check(case, data) -> str | None`: None when the case passes, else what differed. The corpus is one more set:
`corpus.py` offers `files(folder)` and `check_file(path) -> str | None`.
"""

from __future__ import annotations

import importlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BESIDE = HERE.parents[2] / "shared"
DATA_FOLDER = Path(os.environ.get("PAWL_CONFORMANCE") or BESIDE / "conformance")
CORPUS_FOLDER = Path(os.environ.get("PAWL_CORPUS") or BESIDE / "corpus")

FULL = 1.0
THRESHOLDS = {
    "expressions": FULL,
    "expression_syntax": FULL,
    "real_expressions": FULL,
    "templates": FULL,
    "conditions": FULL,
    "matrix": FULL,
    "steps": FULL,
    "jobs": FULL,
    "hashfiles": FULL,
    "problem_matchers": FULL,
    "filters": 0.99,
    "triggers": 0.99,
    "commands": 0.95,
    "workflow_parse": 0.95,
    "workflow_validity": 0.95,
    "action_metadata": 0.95,
    "corpus": FULL,
}
SLOWEST_FILE_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class SetResult:
    """What became of one set. `failures` are (case id, what differed); `slowest` is seconds of one case."""

    name: str
    cases: int
    failures: tuple[tuple[str, str], ...]
    slowest: float

    @property
    def passed(self) -> int:
        """Return how many cases passed."""
        return self.cases - len(self.failures)

    @property
    def share(self) -> float:
        """Return the passed share, 1.0 for an empty set."""
        return self.passed / self.cases if self.cases else 1.0

    @property
    def is_enough(self) -> bool:
        """Return whether the share reaches what is promised for this set."""
        return self.share >= THRESHOLDS.get(self.name, FULL)


def set_names() -> list[str]:
    """Return the names of the sets that have a module here and data to run on."""
    here = sorted(path.stem.removeprefix("set_") for path in HERE.glob("set_*.py"))
    names = [name for name in here if (DATA_FOLDER / f"{name}.json").is_file()]
    return [*names, "corpus"] if CORPUS_FOLDER.is_dir() else names


def run_set(name: str) -> SetResult:
    """Run one set and return what became of it. An exception counts as a failed case, never as the end."""
    checks = list(_corpus_checks() if name == "corpus" else _data_checks(name))
    failures: list[tuple[str, str]] = []
    slowest = 0.0
    for case_id, check in checks:
        began = time.perf_counter()
        difference = _guarded(check)
        took = time.perf_counter() - began
        slowest = max(slowest, took)
        if difference is None and name == "corpus" and took > SLOWEST_FILE_SECONDS:
            # A busy machine, or a large process whose memory is being tidied, is not a slow parser: only a
            # file that is slow twice is slow.
            began = time.perf_counter()
            check()
            if (again := time.perf_counter() - began) > SLOWEST_FILE_SECONDS:
                difference = f"took {again * 1000:.0f} ms"
        if difference is not None:
            failures.append((case_id, difference))
    return SetResult(name=name, cases=len(checks), failures=tuple(failures), slowest=slowest)


def _data_checks(name: str) -> Iterator[tuple[str, Callable[[], str | None]]]:
    module = importlib.import_module(f"tests.conformance.set_{name}")
    data: dict[str, Any] = json.loads((DATA_FOLDER / f"{name}.json").read_text("utf-8"))
    for case in data["cases"]:
        yield case.get("id", "?"), lambda case=case: module.check(case, data)


def _corpus_checks() -> Iterator[tuple[str, Callable[[], str | None]]]:
    module = importlib.import_module("tests.conformance.corpus")
    for path in module.files(CORPUS_FOLDER):
        yield str(path.relative_to(CORPUS_FOLDER)), lambda path=path: module.check_file(path)


def _guarded(check: Callable[[], str | None]) -> str | None:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - a crash is a failed case, and the table must go on
        return f"raised {type(error).__name__}: {error}"


def table(results: list[SetResult], *, failures_shown: int = 3) -> str:
    """Return the results as text: a row a set, then the first failures of each."""
    lines = [f"{'set':<20} {'cases':>6} {'passed':>7} {'share':>8} {'promised':>9} {'slowest':>9}"]
    for result in results:
        promised = THRESHOLDS.get(result.name, FULL)
        lines.append(
            f"{result.name:<20} {result.cases:>6} {result.passed:>7} {result.share:>8.2%} "
            f"{promised:>9.0%} {result.slowest * 1000:>6.0f} ms{'' if result.is_enough else '  <-- too few'}"
        )
    for result in results:
        lines.extend(
            f"  {result.name} {case}: {text[:300]}" for case, text in result.failures[:failures_shown]
        )
    return "\n".join(lines)
