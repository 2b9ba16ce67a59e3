"""A server that is killed loses nothing, and what its workers do goes on (faults F1, F4)."""

from __future__ import annotations

from pathlib import Path

from tests.faults.installation import installation
from tests.faults.work import Ticking
from tests.simulation.check import check_database


def test_jobs_go_on_and_end_while_the_server_is_killed_and_started_again(tmp_path: Path) -> None:
    with installation(tmp_path, slots=1) as pawl:
        running, queued = Ticking(pawl), Ticking(pawl, name="queued")
        running.wait_for_lines(5)
        pawl.kill_server()
        pawl.start_server()
        running.wait_for_lines(5)
        pawl.kill_server()
        running.open_gate()
        queued.open_gate()
        pawl.start_server()
        running.assert_whole()
        queued.assert_whole()
        assert pawl.stop_server() == 0
        check_database(pawl.data)
