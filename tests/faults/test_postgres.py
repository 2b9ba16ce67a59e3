"""A database that is restarted under a server at work: it waits, and the job goes on (fault F19)."""

from __future__ import annotations

from pathlib import Path

from tests.faults.api import RefusedError
from tests.faults.installation import Installation, installation
from tests.faults.processes import until
from tests.faults.work import Ticking
from tests.postgres import serving
from tests.simulation.check import check_database


def test_a_job_goes_on_while_the_database_is_killed_and_started_again(tmp_path: Path) -> None:
    with serving() as database:
        url = database.database()
        with installation(tmp_path, store=url) as pawl:
            work = Ticking(pawl)
            work.wait_for_lines(5)
            database.kill()
            until(lambda: not _is_ready(pawl), "the server to say that it is not ready")
            database.start()
            until(lambda: _is_ready(pawl), "the server to be ready again")
            work.wait_for_lines(5)
            work.open_gate()
            work.assert_whole()
            assert pawl.stop_server() == 0
        check_database(pawl.data, url)


def _is_ready(pawl: Installation) -> bool:
    try:
        pawl.api.ask("GET", "/ready")
    except RefusedError:
        return False
    return True
