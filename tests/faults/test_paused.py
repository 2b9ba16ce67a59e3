"""A worker that slept past its lease: what it says is refused, and the job has begun elsewhere (fault F7)."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.faults.installation import installation
from tests.faults.processes import processes_of, send, until
from tests.faults.work import Ticking
from tests.simulation.check import check_database


def test_its_writes_are_refused_and_the_new_attempt_ends(tmp_path: Path) -> None:
    with installation(tmp_path, slots=0, lease_seconds=10) as pawl:
        pawl.start_worker("sleepy", slots=1)
        work = Ticking(pawl)
        work.wait_for_lines(3)
        send(pawl.worker_pid("sleepy"), signal.SIGSTOP)
        until(lambda: len(pawl.api.attempts(work.run)) == 2, "a second attempt")
        pawl.start_worker("awake", slots=1)
        until(lambda: work.starts == 2, "the second attempt to begin")
        send(pawl.worker_pid("sleepy"), signal.SIGCONT)
        spool = tmp_path / "workers" / "sleepy"
        until(lambda: set(processes_of(spool)) <= {pawl.worker_pid("sleepy")}, "the end of the first attempt")
        work.open_gate()
        work.assert_whole(attempts=2)
        first = pawl.api.attempts(work.run)[0]
        assert (first["conclusion"], first["failure_class"]) == ("failure", "infrastructure")
        pawl.kill_worker("sleepy")
        pawl.kill_worker("awake")
        assert pawl.stop_server() == 0
        check_database(pawl.data)
