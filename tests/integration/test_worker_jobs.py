"""A worker runs jobs end to end: leased, run in a process of their own, told, and forgotten."""

from __future__ import annotations

from pathlib import Path

from pawl.core.model.status import Conclusion, FailureClass
from tests.integration.worker_server import FakeServer, running_worker


def workflow(script: str, more: str = "") -> str:
    lines = "\n".join(f"          {line}" for line in script.splitlines())
    return f"""
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    {more}
    steps:
      - name: Work
        run: |
{lines}
"""


async def test_a_job_is_run_and_everything_it_told_is_at_the_server(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(workflow("echo hello; echo id=$GITHUB_RUN_ID; echo oops >&2"))
    async with running_worker(server, tmp_path / "data") as worker:
        result = await server.finished(held)
        assert result.conclusion is Conclusion.SUCCESS, (result.reason, held.text())
        assert "hello\n" in held.text()
        assert f"id={held.work.lease.ref.run}" in held.text()
        assert held.begun
        assert [event["name"] for event in held.told("step_finished")] == [
            "Set up job",
            "Work",
            "Complete job",
        ]
        assert [end.name for end in result.logs] == ["Set up job", "Work", "Complete job"]
        assert all(end.note == "" for end in result.logs)
        await server.until(lambda: worker.spools == [], "the folder is removed")
        await worker.drained()


async def test_a_failing_job_says_why(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(workflow("exit 3"))
    async with running_worker(server, tmp_path / "data"):
        result = await server.finished(held)
    assert result.conclusion is Conclusion.FAILURE
    assert result.exit_code == 3
    assert result.failure_class is FailureClass.USER
