"""Full disks: what cannot be kept is refused, nothing is lost, room is all it takes (faults F14 to F16)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.api import RefusedError, trigger_body
from tests.faults.installation import Installation, installation
from tests.faults.processes import until
from tests.faults.space import space_at
from tests.faults.work import TICKING, Ticking
from tests.simulation.check import check_database

pytestmark = pytest.mark.engine
"""No engine is asked, but where one runs, as root, there may be mounted too."""

FLOODING = """\
on: workflow_dispatch
jobs:
  work:
    runs-on: self-hosted
    steps:
      - run: |
          echo begun
          until [ -e {gate} ]; do sleep 0.05; done
          yes 0123456789012345678901234567890123456789012345678901234567890123456789 | head -c 40000000
"""


def _is_refused(pawl: Installation, statuses: list[int]) -> bool:
    """Trigger a run and return whether the server had no room for it."""
    try:
        pawl.api.ask("POST", "/api/runs", trigger_body(TICKING.format(label="nobody", gate="x", mark="true")))
    except RefusedError as refused:
        statuses.append(refused.status)
        return refused.status in {503, 507}
    return False


def _is_ready(pawl: Installation) -> bool:
    try:
        pawl.api.ask("GET", "/ready", None)
    except RefusedError as refused:
        if refused.status == 503:
            return False
        raise
    return True


def test_a_server_without_room_refuses_and_goes_on_once_there_is_some(tmp_path: Path) -> None:
    with (
        space_at(tmp_path / "data", mebibytes=256) as space,
        installation(tmp_path, slots=0, lease_seconds=600) as pawl,
    ):
        pawl.start_worker("far")
        work = Ticking(pawl)
        work.wait_for_lines(3)
        space.fill()
        until(lambda: not _is_ready(pawl), "the server to say that it is not ready")
        statuses: list[int] = []
        until(lambda: _is_refused(pawl, statuses), "the server to refuse a run")
        work.open_gate()
        assert pawl.api.run(work.run)["status"] != "completed"
        space.free()
        until(lambda: _is_ready(pawl), "the server to be ready again")
        work.assert_whole()
        later = Ticking(pawl, name="later")
        later.open_gate()
        later.assert_whole()
        assert "Traceback" not in pawl.told("server")
        pawl.kill_worker("far")
        assert pawl.stop_server() == 0
        check_database(pawl.data)


def test_a_worker_without_room_says_so_and_takes_jobs_again_once_there_is_some(tmp_path: Path) -> None:
    with (
        space_at(tmp_path / "workers" / "far", mebibytes=4096) as space,
        installation(tmp_path, slots=0, lease_seconds=600) as pawl,
    ):
        pawl.start_worker("far", slots=1)
        gate = tmp_path / "flood.gate"
        run = pawl.api.trigger(FLOODING.format(gate=gate))
        until(lambda: "begun" in pawl.api.log_lines(run), "the job to begin")
        space.fill(left=8192)
        gate.touch()
        until(lambda: pawl.api.attempts(run)[0]["conclusion"], "the attempt to end for want of room")
        until(lambda: "are free in" in _worker(pawl)["health"], "the worker to say that its disk is full")
        space.free()
        assert pawl.wait_for_end(run)["conclusion"] == "success"
        first, second = pawl.api.attempts(run)
        assert (first["conclusion"], first["failure_class"]) == ("failure", "infrastructure")
        assert "No space left on device" in first["reason"]
        assert second["conclusion"] == "success"
        until(lambda: _worker(pawl)["health"] == "", "the worker to be well")
        pawl.kill_worker("far")
        assert pawl.stop_server() == 0
        check_database(pawl.data)


def _worker(pawl: Installation) -> dict[str, str]:
    answer = pawl.api.get("/api/workers")
    found: dict[str, str] = (answer if isinstance(answer, list) else answer["workers"])[0]
    return found
