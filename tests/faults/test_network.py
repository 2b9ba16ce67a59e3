"""A network that fails between a worker and its server loses no line and doubles none (faults F8, F10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.faults.installation import Installation, installation
from tests.faults.processes import until
from tests.faults.proxy import Proxy, proxy_to
from tests.faults.work import Ticking
from tests.simulation.check import check_database


@dataclass(frozen=True)
class _Far:
    """A server whose only worker reaches it through a proxy."""

    pawl: Installation
    proxy: Proxy


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Far]:
    folder = tmp_path_factory.mktemp("network")
    with installation(folder, slots=0) as pawl, proxy_to(pawl.api.port) as proxy:
        pawl.start_worker("far", port=proxy.port)
        yield _Far(pawl, proxy)
        pawl.kill_worker("far")
        assert pawl.stop_server() == 0
        check_database(pawl.data)


def test_connections_that_are_cut(far: _Far) -> None:
    work = Ticking(far.pawl, name="cut")
    for _ in range(3):
        work.wait_for_lines(3)
        far.proxy.cut()
    work.wait_for_lines(3)
    work.open_gate()
    work.assert_whole()


def test_replies_that_are_lost(far: _Far) -> None:
    far.proxy.lose_replies(3)
    work = Ticking(far.pawl, name="lost")
    work.wait_for_lines(3)
    until(lambda: far.proxy.lost == 3, "three lost replies")
    far.proxy.lose_replies(5)
    until(lambda: far.proxy.lost == 8, "five more lost replies")
    far.proxy.lose_replies(3)
    work.open_gate()
    work.assert_whole()


def test_a_server_that_cannot_be_reached_for_a_while(far: _Far) -> None:
    work = Ticking(far.pawl, name="away")
    work.wait_for_lines(3)
    before = far.proxy.passed
    far.proxy.shut()
    far.proxy.cut()
    work.open_gate()
    far.proxy.open()
    work.assert_whole()
    assert far.proxy.passed > before
