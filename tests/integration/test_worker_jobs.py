"""A worker runs jobs end to end: leased, run in a process of their own, told, and forgotten."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pawl.core.model.errors import TooLarge, Unavailable
from pawl.core.model.records import ArtifactEntry
from pawl.core.model.reports import Report, Reported
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.work import Lease
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


def kept_files(folder: Path) -> list[Path]:
    """Return the files of a worker that are not its jobs' own."""
    return [path for path in folder.rglob("*") if path.is_file() and "work" not in path.parts]


def content(path: Path) -> bytes:
    """Return what a file holds; nothing when it has gone meanwhile."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


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


async def test_a_flood_arrives_whole_while_leases_are_renewed(tmp_path: Path) -> None:
    server = FakeServer()
    size = 50_000_000
    held = server.add(workflow(f"yes 0123456789abcdef0123456789abcdef | head -c {size}; echo; echo end"))
    async with running_worker(server, tmp_path / "data"):
        result = await server.finished(held)
    assert result.conclusion is Conclusion.SUCCESS, result.reason
    end = result.logs[1]
    data = bytes(held.logs[1, "data"])
    assert len(data) == end.size > size
    assert data.endswith(b"end\n")
    assert len(held.logs[1, "index"]) == end.lines * 16
    assert server.renewals > 1


async def test_the_index_never_runs_ahead_of_the_bytes(tmp_path: Path) -> None:
    server = FakeServer()
    ahead: list[str] = []

    async def look(call: str) -> None:
        for held in server.held.values():
            for (index, part), stored in held.logs.items():
                if part == "index" and stored:
                    last = int.from_bytes(stored[-16:-8], "little")
                    if last >= len(held.logs[index, "data"]):
                        ahead.append(f"{call}: {last}")

    server.before = look
    held = server.add(workflow("seq 1 300000"))
    async with running_worker(server, tmp_path / "data"):
        await server.finished(held)
    assert ahead == []
    assert held.log(1).endswith("299999\n300000\n")


async def test_secrets_are_masked_and_gone_from_the_folder(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(
        workflow(
            'echo "the secret is $IT"; while [ ! -e "$GO" ]; do sleep 0.05; done',
            f"""env:
      IT: ${{{{ secrets.IT }}}}
      GO: {tmp_path / "go"}""",
        ),
        secrets={"IT": "correct-horse-battery"},
    )
    async with running_worker(server, tmp_path / "data") as worker:
        await server.until(lambda: "the secret is" in held.text(), "it prints")
        assert [path for path in kept_files(worker.data) if b"correct-horse" in content(path)] == []
        assert {path.stat().st_mode & 0o077 for path in (worker.data / "jobs").iterdir()} == {0}
        (tmp_path / "go").touch()
        result = await server.finished(held)
    assert result.conclusion is Conclusion.SUCCESS
    assert "the secret is ***" in held.text()
    assert "correct-horse" not in str(held.events)


async def test_artifacts_are_there_before_the_end(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(
        """
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    steps:
      - run: mkdir out; echo 1 > out/a.txt; head -c 200000 /dev/zero > out/b.bin
      - uses: actions/upload-artifact@v4
        with: {name: site, path: out}
"""
    )
    async with running_worker(server, tmp_path / "data"):
        result = await server.finished(held)
    assert result.conclusion is Conclusion.SUCCESS, (result.reason, held.text())
    files = {entry.name: server.blobs[entry.sha256] for entry in held.artifacts["site"]}
    assert files == {"a.txt": b"1\n", "b.bin": b"\0" * 200_000}


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("true", "the artifact `job` cannot be kept: more than 10 bytes"),
        ("exit 3", "exit code 3; the artifact `job` cannot be kept: more than 10 bytes"),
    ],
)
async def test_an_artifact_that_the_server_refuses_fails_the_job_and_its_log_claims_nothing(
    tmp_path: Path, script: str, reason: str
) -> None:
    server = FakeServer()

    async def refuse(call: str) -> None:
        if call == "artifacts":
            raise TooLarge("more than 10 bytes")

    server.before = refuse
    held = server.add(workflow(f"echo 1 > a.txt; {script}", "artifacts: [a.txt]"))
    async with running_worker(server, tmp_path / "data"):
        result = await server.finished(held)
    assert (result.conclusion, result.failure_class) == (Conclusion.FAILURE, FailureClass.USER)
    assert result.reason.endswith(reason)
    assert "Collected the artifact job: 1 file, 2 bytes" in held.text()
    assert "Kept" not in held.text()


async def test_bytes_the_server_has_already_are_not_sent_twice(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(workflow("echo one; echo two"))
    lost: list[str] = []

    async def lose_answers(call: str) -> None:
        """Let each call about a log be done once without an answer."""
        if call in ("finish", "begin") and call not in lost:
            lost.append(call)
            raise Unavailable("the answer was lost")

    server.before = lose_answers
    report = server.report

    async def report_and_forget(lease: Lease, told: Report) -> Reported:
        stored = await report(lease, told)
        news = {f"event {told.first}", *(f"{each.index} {each.part} {each.offset}" for each in told.pieces)}
        if news - set(lost):
            lost.extend(news)
            raise Unavailable("the answer was lost")
        return stored

    server.report = report_and_forget  # type: ignore[method-assign]  # - a lever of this test
    async with running_worker(server, tmp_path / "data"):
        result = await server.finished(held)
    assert result.conclusion is Conclusion.SUCCESS
    assert held.log(1).endswith("one\ntwo\n")
    assert held.log(1).count("one\ntwo\n") == 1


async def test_a_server_that_lost_bytes_gets_them_again(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(workflow(f'echo one; while [ ! -e "{tmp_path}/go" ]; do sleep 0.05; done; echo two'))
    async with running_worker(server, tmp_path / "data"):
        await server.until(lambda: "one\n" in held.log(1).partition("endgroup")[2], "it prints")
        for stored in held.logs.values():
            del stored[len(stored) // 2 :]
        (tmp_path / "go").touch()
        result = await server.finished(held)
    assert result.conclusion is Conclusion.SUCCESS
    assert [end.note for end in result.logs] == ["", "", ""]
    assert held.log(1).endswith("one\ntwo\n")


async def test_a_job_gets_the_files_of_the_runs_earlier_artifacts(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(
        """
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/download-artifact@v4
        with: {name: site, path: got}
      - run: cat got/a.txt
"""
    )
    content = b"kept by an earlier job\n"
    digest = hashlib.sha256(content).hexdigest()
    server.blobs[digest] = content
    entry = ArtifactEntry(name="a.txt", size=len(content), sha256=digest, content_type="text/plain")
    held.artifacts["site"] = (entry,)
    async with running_worker(server, tmp_path / "data"):
        result = await server.finished(held)
    assert result.conclusion is Conclusion.SUCCESS, (result.reason, held.text())
    assert held.log(2).endswith("kept by an earlier job\n")
