"""A worker reaches a server behind TLS with the certificates it is told to trust, and only so."""

from __future__ import annotations

from pathlib import Path

from tests.faults.installation import installation
from tests.faults.tls import make_authority, tls_proxy_to
from tests.faults.work import Ticking
from tests.simulation.check import check_database


def test_a_worker_trusts_the_authority_it_is_told_and_no_other(tmp_path: Path) -> None:
    right, wrong = (make_authority(tmp_path, name) for name in ("right", "wrong"))
    with installation(tmp_path, slots=0) as pawl, tls_proxy_to(pawl.api.port, right) as port:
        pawl.start_worker("stranger", port=port, ca_file=wrong.ca_file)
        assert pawl.wait_for_worker("stranger") == 2
        told = pawl.told("stranger")
        assert f"the certificate of https://127.0.0.1:{port} is not trusted" in told
        assert "--ca-file" in told
        assert "Traceback" not in told
        pawl.start_worker("far", port=port, ca_file=right.ca_file)
        work = Ticking(pawl)
        work.wait_for_lines(5)
        work.open_gate()
        work.assert_whole()
        pawl.kill_worker("far")
        assert pawl.stop_server() == 0
        check_database(pawl.data)


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate\n", "ascii")
    with installation(tmp_path, slots=0) as pawl:
        pawl.start_worker("stranger", ca_file=broken)
        assert pawl.wait_for_worker("stranger") == 2
        assert f"the certificates in {broken} cannot be read" in pawl.told("stranger")
        assert pawl.stop_server() == 0
