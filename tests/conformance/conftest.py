"""Prints the conformance table at the end of a test run that had it."""

from __future__ import annotations

import pytest

from tests.conformance import harness

_results: list[harness.SetResult] = []


@pytest.fixture(scope="session")
def conformance_results() -> list[harness.SetResult]:
    return _results


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _results:
        terminalreporter.section("conformance")
        terminalreporter.write_line(harness.table(_results))
