"""Two servers share a database and a bucket; one is killed, and the other ends what it had accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.installation import Installation, installation
from tests.faults.processes import kill_all, processes_of, until
from tests.faults.work import assert_counted
from tests.postgres import serving
from tests.s3 import CREDENTIALS, make_bucket, running_s3
from tests.simulation.check import check_database

WORKFLOW = """\
on: workflow_dispatch
jobs:
  work:
    runs-on: self-hosted
    steps:
      - run: |
          echo started >> {folder}/$GITHUB_RUN_ID.starts
          for line in 1 2 3 4 5 6 7 8 9 10; do echo "line $line"; sleep 0.05; done
          echo "last 10"
"""
RUNS = 30


def test_every_run_of_a_killed_server_ends_once_on_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with serving() as database, running_s3() as endpoint:
        make_bucket(endpoint, "bytes")
        url, bucket = database.database(), f"s3://bytes/{{}}?endpoint={endpoint}"
        with (
            installation(tmp_path / "one", store=url, bucket=bucket, lease_seconds=10) as one,
            installation(tmp_path / "two", store=url, bucket=bucket, lease_seconds=10) as two,
        ):
            servers, workflow = (one, two), WORKFLOW.format(folder=tmp_path)
            runs = [servers[number % 2].api.trigger(workflow) for number in range(RUNS)]
            until(lambda: len(_workers(two, runs, "finished")) == 2, "both workers to have ended a job")
            mine = _worker_of(one)
            until(lambda: mine in _workers(two, runs, "running"), "the first worker to be at work")
            one.kill_server()
            kill_all(tmp_path / "one")
            retried = sum(_attempts_of(two, run, tmp_path) - 1 for run in runs)
            assert len({*runs}) == RUNS
            assert 1 <= retried <= 2, "what the killed worker had at work, and nothing else, is tried again"
            assert "Traceback" not in two.told("server")
            assert two.stop_server() == 0
            assert not processes_of(tmp_path / "two", "worker")
        check_database(two.data, url, bucket=bucket)


def _worker_of(pawl: Installation) -> str:
    """Return the id of the embedded worker of a server."""
    pid = str(pawl.embedded_worker())
    (found,) = (each["id"] for each in pawl.api.get("/api/workers")["workers"] if each["facts"]["pid"] == pid)
    return str(found)


def _workers(pawl: Installation, runs: list[int], state: str) -> set[str]:
    """Return the workers of the attempts that are in a state."""
    attempts = [attempt for run in runs for attempt in pawl.api.attempts(run)]
    return {attempt["worker"] for attempt in attempts if attempt["state"] == state}


def _attempts_of(pawl: Installation, run: int, folder: Path) -> int:
    """Check that a run succeeded once with its log whole, and return how many attempts that took."""
    ended = pawl.wait_for_end(run)
    assert ended["conclusion"] == "success", ended
    attempts = pawl.api.attempts(run)
    assert [attempt["attempt"] for attempt in attempts] == list(range(1, len(attempts) + 1)), attempts
    assert [attempt["conclusion"] for attempt in attempts[:-1]] == ["failure"] * (len(attempts) - 1)
    assert attempts[-1]["conclusion"] == "success"
    assert_counted(pawl.api.log_lines(run, attempt=len(attempts)))
    started = (folder / f"{run}.starts").read_text("ascii").splitlines()
    assert 1 <= len(started) <= len(attempts)
    return len(attempts)
