"""Rules for the whole suite: with CI=true nothing may be skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.postgres import PostgresServer


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`: here, because pytest reads deeper conftest files too late for options."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Turn a green run that skipped something into a red one, in CI only."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") != "true" or reporter is None or hasattr(session.config, "workerinput"):
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped and exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"CI=true and {len(skipped)} tests were skipped: a failure here.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Return a PostgreSQL server, started for the first test that asks for it."""
    from tests.postgres import serving  # noqa: PLC0415 - its driver is slow to import, and few tests need it

    with serving() as server:
        yield server
