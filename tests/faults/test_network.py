"""A network that fails between a worker and its server loses no line and doubles none (faults F8, F10)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.installation import Installation, installation
from tests.faults.processes import until
from tests.faults.proxy import Proxy, proxy_to
from tests.faults.work import Ticking
from tests.simulation.check import check_database


@contextmanager
def _behind_a_proxy(folder: Path) -> Iterator[tuple[Installation, Proxy]]:
    with installation(folder, slots=0) as pawl, proxy_to(pawl.api.port) as proxy:
        pawl.start_worker("far", port=proxy.port)
        yield pawl, proxy
        pawl.kill_worker("far")
        assert pawl.stop_server() == 0
        check_database(pawl.data)


def test_connections_that_are_cut(tmp_path: Path) -> None:
    with _behind_a_proxy(tmp_path) as (pawl, proxy):
        work = Ticking(pawl)
        for _ in range(4):
            work.wait_for_lines(3)
            proxy.cut()
        work.wait_for_lines(3)
        work.open_gate()
        work.assert_whole()


def test_replies_that_are_lost(tmp_path: Path) -> None:
    with _behind_a_proxy(tmp_path) as (pawl, proxy):
        proxy.lose_replies(3)
        work = Ticking(pawl)
        until(lambda: proxy.lost == 3, "three lost replies")
        work.wait_for_lines(3)
        proxy.lose_replies(5)
        until(lambda: proxy.lost == 8, "five more lost replies")
        work.open_gate()
        proxy.lose_replies(3)
        work.assert_whole()


def test_a_server_that_cannot_be_reached_for_a_while(tmp_path: Path) -> None:
    with _behind_a_proxy(tmp_path) as (pawl, proxy):
        work = Ticking(pawl)
        work.wait_for_lines(3)
        before = proxy.passed
        proxy.shut()
        proxy.cut()
        work.open_gate()
        proxy.open()
        work.assert_whole()
        assert proxy.passed > before
