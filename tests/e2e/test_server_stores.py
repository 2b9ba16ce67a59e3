"""One whole workflow of `pawl serve` with its database in PostgreSQL, and one with its bytes in S3."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.server import Machine
from tests.postgres import PostgresServer
from tests.s3 import CREDENTIALS, make_bucket, running_s3


def _runs_a_workflow(machine: Machine) -> None:
    """Start a server, have it run a workflow, and read the log again from what it keeps."""
    machine.prepare()
    machine.commit()
    try:
        machine.start()
        code, out, err = machine.pawl("trigger", "ci", "--follow")
        assert code == 0, out + err
        assert "[build] hello from the commit" in out
        assert "CI succeeded in" in out
        machine.kill()
        machine.start()
        code, out, err = machine.pawl("logs", "1", "--server")
        assert code == 0, out + err
        assert "[test] tested" in out
        said = (machine.folder / "server.out").read_text("utf-8", "replace")
        assert "Traceback" not in said
    finally:
        machine.end()


def test_a_workflow_runs_with_its_database_in_postgresql(tmp_path: Path, postgres: PostgresServer) -> None:
    machine = Machine(tmp_path)
    machine.environment["PAWL_SERVER_STORE"] = postgres.database()
    _runs_a_workflow(machine)
    assert not (machine.data / "pawl.db").exists()


def test_a_workflow_runs_with_its_logs_and_files_in_s3(tmp_path: Path) -> None:
    with running_s3() as endpoint:
        make_bucket(endpoint, "bytes")
        machine = Machine(tmp_path)
        machine.environment |= {
            **CREDENTIALS,
            "PAWL_SERVER_BLOBS": f"s3://bytes/blobs?endpoint={endpoint}",
            "PAWL_SERVER_LOGS": f"s3://bytes/logs?endpoint={endpoint}",
        }
        _runs_a_workflow(machine)
        assert not list((machine.data / "logs").rglob("*.log"))
        assert not (machine.data / "blobs").exists()
