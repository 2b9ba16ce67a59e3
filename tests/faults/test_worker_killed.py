"""A worker that is killed and started again goes on with its jobs (fault F5)."""

from __future__ import annotations

from pathlib import Path

from tests.faults.installation import installation
from tests.faults.processes import until
from tests.faults.work import Ticking
from tests.simulation.check import check_database


def test_the_embedded_worker_is_started_again_and_goes_on_with_the_same_attempt(tmp_path: Path) -> None:
    with installation(tmp_path) as pawl:
        work = Ticking(pawl)
        work.wait_for_lines(5)
        killed = pawl.kill_embedded_worker()
        until(lambda: pawl.embedded_worker() not in {None, killed}, "another embedded worker")
        work.wait_for_lines(5)
        pawl.kill_embedded_worker()
        pawl.kill_server()
        pawl.start_server()
        work.wait_for_lines(5)
        work.open_gate()
        work.assert_whole()
        assert pawl.stop_server() == 0
        check_database(pawl.data)


def test_a_worker_on_another_machine_goes_on_with_the_same_attempt(tmp_path: Path) -> None:
    with installation(tmp_path, slots=0) as pawl:
        pawl.start_worker("far")
        work = Ticking(pawl)
        work.wait_for_lines(5)
        pawl.kill_worker("far")
        pawl.start_worker("far")
        work.wait_for_lines(5)
        work.open_gate()
        work.assert_whole()
        assert pawl.stop_server() == 0
        check_database(pawl.data)
