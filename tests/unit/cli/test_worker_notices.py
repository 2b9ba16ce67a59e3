"""What a worker says: sentences on a terminal, else lines like those of the server's log."""

from __future__ import annotations

import json
import sys

import pytest

from pawl.cli.commands import worker
from pawl.core.model.ids import Epoch, JobId, RunId
from pawl.core.model.records import AttemptRef
from pawl.core.model.work import Lease
from pawl.server.log_lines import start_logging
from pawl.worker.spool import Held

REF = AttemptRef(run=RunId(7), job=JobId("build"), attempt=2)
HELD = Held(lease=Lease(ref=REF, epoch=Epoch(1), seconds=30.0), correlation="c1", key="k", owner="o")


def test_a_line_is_json_with_the_attempt_and_the_id_of_its_run(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging()
    worker._notice("stopped, it was cancelled", HELD)
    worker._notice("taking jobs again")
    about, other = map(json.loads, capsys.readouterr().err.splitlines())
    assert about["event"] == "stopped, it was cancelled"
    assert [about[name] for name in ("run", "job", "attempt", "correlation")] == [7, "build", 2, "c1"]
    assert other["event"] == "taking jobs again"
    assert not {"run", "correlation"} & other.keys()


def test_a_terminal_gets_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    worker._notice("stopped, it was cancelled", HELD)
    told = " ".join(capsys.readouterr().err.split())
    assert told == "note: run 7, job build, attempt 2: stopped, it was cancelled"
