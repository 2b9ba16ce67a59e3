"""A server that is killed loses nothing, and what its workers do goes on (faults F1, F4)."""

from __future__ import annotations

from pathlib import Path

from tests.faults.installation import installation
from tests.faults.work import Ticking
from tests.simulation.check import check_database


def test_a_job_goes_on_while_the_server_is_killed_and_started_again(tmp_path: Path) -> None:
    with installation(tmp_path) as pawl:
        work = Ticking(pawl)
        work.wait_for_lines(5)
        pawl.kill_server()
        pawl.start_server()
        work.wait_for_lines(5)
        work.open_gate()
        work.assert_whole()
        assert pawl.stop_server() == 0
        check_database(pawl.data)


def test_a_job_that_ends_while_the_server_is_away_is_told_later(tmp_path: Path) -> None:
    with installation(tmp_path) as pawl:
        work = Ticking(pawl)
        queued = [Ticking(pawl, name=f"queued-{number}") for number in range(3)]
        work.wait_for_lines(5)
        pawl.kill_server()
        for each in (work, *queued):
            each.open_gate()
        pawl.start_server()
        for each in (work, *queued):
            each.assert_whole()
        assert pawl.stop_server() == 0
        check_database(pawl.data)
