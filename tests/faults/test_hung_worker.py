"""A worker whose event loop hangs is ended by its watchdog; the next one goes on with its job (fault F12)."""

from __future__ import annotations

import signal
from pathlib import Path

from pawl.worker.watchdog import STUCK
from tests.faults.installation import installation
from tests.faults.processes import send
from tests.faults.work import Ticking
from tests.simulation.check import check_database


def test_the_watchdog_ends_it_and_the_next_worker_goes_on_with_the_same_attempt(tmp_path: Path) -> None:
    with installation(tmp_path, slots=0, lease_seconds=600) as pawl:
        pawl.start_worker("far", can_hang=True)
        work = Ticking(pawl)
        work.wait_for_lines(3)
        send(pawl.worker_pid("far"), signal.SIGUSR1)
        assert pawl.wait_for_worker("far") == STUCK
        assert "the worker has hung" in pawl.told("far")
        pawl.start_worker("far")
        work.wait_for_lines(3)
        work.open_gate()
        work.assert_whole()
        pawl.kill_worker("far")
        assert pawl.stop_server() == 0
        check_database(pawl.data)
