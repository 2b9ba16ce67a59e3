"""The contract of ports.job_host, with processes started anew and with forked ones."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pawl.adapters.job_processes import JobProcesses, handing
from pawl.ports.job_host import HostedJob
from tests.contract.conftest import until

SCRIPT = """
import asyncio, os, sys, time
from pathlib import Path
from pawl.adapters.job_processes import InsideJob, take_handed, wait_for_work

def main():
    folder = wait_for_work(int(sys.argv[2])) if sys.argv[1] == "--wait" else Path(sys.argv[1])
    if folder is None:
        return
    inside = InsideJob(folder)
    handed = take_handed()
    print("hello from the job", flush=True)
    asyncio.run(work(folder, inside, handed))

async def work(folder, inside, handed):
    stops = []
    with inside.listening(stops.append):
        (folder / "environment").write_text("\\n".join(os.environ))
        (folder / "handed").write_text(f"{len(handed)} {handed[-3:]!r} {os.read(0, 9)!r}")
        (folder / "ready").touch()
        inside.wake()
        while not (folder / "end").exists():
            (folder / "stops").write_text("\\n".join(f"{each.reason} {each.at_once}" for each in stops))
            await asyncio.sleep(0.01)

main()
"""


@pytest.fixture(params=["anew", "forked"])
async def host(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[JobProcesses]:
    script = tmp_path / "job.py"
    await asyncio.to_thread(script.write_text, SCRIPT)
    environment = {**os.environ, "PAWL_TOKEN": "pawl_secret", "PAWL_SANDBOX": "outer"}
    made = JobProcesses(
        (sys.executable, str(script)), environment=environment, ready=request.param == "forked"
    )
    await made.make_ready()
    yield made
    for folder in _folders(tmp_path):
        job = made.attach(folder)
        await job.kill()
        job.let_go()
    await made.aclose()


def _folders(root: Path) -> list[Path]:
    return [path for path in root.glob("attempt-*") if (path / "wake").exists()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "attempt-1"
    path.mkdir()
    return path


def stops(folder: Path) -> str:
    """Return what the job was asked so far, a line each."""
    try:
        return (folder / "stops").read_text()
    except FileNotFoundError:
        return ""


def _told_of(pid: int, folder: Path) -> bytes:
    """Return what a process's arguments, its environment and the files of its folder hold."""
    files = [Path(f"/proc/{pid}/{name}") for name in ("cmdline", "environ")]
    return b"".join(path.read_bytes() for path in [*files, *folder.iterdir()] if path.is_file())


async def started(host: JobProcesses, folder: Path) -> HostedJob:
    job = host.start(folder)
    await until((folder / "ready").exists, "ready", seconds=60)
    return job


async def test_a_job_runs_in_a_process_of_its_own_until_its_end(host: JobProcesses, folder: Path) -> None:
    job = await started(host, folder)
    assert job.running
    (folder / "end").touch()
    await until(lambda: not job.running, "ended", seconds=60)
    assert (folder / "out.txt").read_text() == "hello from the job\n"
    job.let_go()


@pytest.mark.parametrize("size", [0, 5, 300_000])
async def test_what_it_is_handed_is_read_once_and_lies_in_no_file(
    host: JobProcesses, folder: Path, size: int
) -> None:
    handed = (b"s3cr3t!" * (size // 7 + 1))[:size]
    job = host.start(folder, handed)
    await until((folder / "ready").exists, "ready", seconds=60)
    assert (folder / "handed").read_text() == f"{size} {handed[-3:]!r} b''"
    pid = json.loads((folder / "process.json").read_text())["pid"]
    assert b"s3cr3t!" not in _told_of(pid, folder)
    (folder / "end").touch()
    await until(lambda: not job.running, "ended", seconds=60)
    job.let_go()


def test_without_memory_files_a_pipe_hands_over_as_much() -> None:
    handed = bytes(range(256)) * 2000
    reading = handing._in_a_pipe(handed)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == handed


async def test_it_is_found_again_by_its_folder(host: JobProcesses, folder: Path) -> None:
    (await started(host, folder)).let_go()
    again = host.attach(folder)
    assert again.running
    again.ask_to_stop("enough", at_once=False)
    await until(lambda: stops(folder) == "enough False", "asked", seconds=60)
    await again.kill()
    assert not again.running
    again.let_go()


async def test_one_folder_has_one_process_however_often_it_is_started(
    host: JobProcesses, folder: Path
) -> None:
    first = await started(host, folder)
    again = host.start(folder)
    assert [first.running, again.running] == [True, True]
    (folder / "end").touch()
    await until(lambda: not again.running, "ended", seconds=60)
    late = host.start(folder)
    assert [first.running, again.running, late.running] == [False] * 3
    assert (folder / "out.txt").read_text() == "hello from the job\n"
    for job in (first, again, late):
        job.let_go()


async def test_a_start_that_was_cut_short_is_made_again(host: JobProcesses, folder: Path) -> None:
    os.mkfifo(folder / "wake")
    job = await started(host, folder)
    assert job.running
    job.let_go()


async def test_a_job_is_asked_to_stop_politely_and_then_at_once(host: JobProcesses, folder: Path) -> None:
    job = await started(host, folder)
    job.ask_to_stop("first", at_once=False)
    job.ask_to_stop("second", at_once=False)
    await until(lambda: stops(folder) == "first False", "asked", seconds=60)
    job.ask_to_stop("third", at_once=True)
    wanted = "first False\nfirst True"
    await until(lambda: stops(folder) == wanted, "asked again", seconds=60)
    job.let_go()


async def test_a_job_that_is_asked_before_it_listens_hears_it(host: JobProcesses, folder: Path) -> None:
    job = host.start(folder)
    job.ask_to_stop("early", at_once=True)
    await until(lambda: "early True" in stops(folder), "asked", seconds=60)
    job.let_go()


async def test_signals_that_end_a_session_do_not_end_a_job(host: JobProcesses, folder: Path) -> None:
    job = await started(host, folder)
    pid = int((folder / "process.json").read_text().partition(":")[2].strip(" }"))
    assert os.getsid(pid) == pid
    os.kill(pid, 15)
    os.kill(pid, 2)
    job.ask_to_stop("still there", at_once=False)
    await until(lambda: "still there" in stops(folder), "asked", seconds=60)
    job.let_go()


async def test_a_job_wakes_its_worker(host: JobProcesses, folder: Path) -> None:
    job = host.start(folder)
    async with asyncio.timeout(60):
        await job.changed(600)
    assert (folder / "ready").exists()
    await job.changed(0.01)
    job.let_go()


async def test_what_is_the_workers_own_is_not_handed_on(host: JobProcesses, folder: Path) -> None:
    job = await started(host, folder)
    names = (folder / "environment").read_text().splitlines()
    assert "PATH" in names
    assert [name for name in names if name.startswith("PAWL_")] == ["PAWL_SANDBOX"]
    job.let_go()


async def test_several_jobs_run_at_once(host: JobProcesses, tmp_path: Path) -> None:
    folders = [tmp_path / f"attempt-{number}" for number in range(3)]
    for each in folders:
        each.mkdir()
    jobs = [host.start(each) for each in folders]
    for each in folders:
        await until((each / "ready").exists, "ready", seconds=60)
    await jobs[1].kill()
    assert [job.running for job in jobs] == [True, False, True]
    for job in jobs:
        job.let_go()


async def test_a_folder_without_a_process_has_none_running(host: JobProcesses, folder: Path) -> None:
    os.mkfifo(folder / "wake")
    job = host.attach(folder)
    assert not job.running
    await job.kill()
    job.let_go()


@pytest.mark.parametrize("host", ["forked"], indirect=True)
async def test_a_process_that_waits_and_is_killed_is_followed_by_another(
    host: JobProcesses, tmp_path: Path
) -> None:
    folders = [tmp_path / f"attempt-{number}" for number in range(2)]
    for each in folders:
        each.mkdir()
    first = await started(host, folders[0])
    job = json.loads((folders[0] / "process.json").read_text())["pid"]
    forks = _parent(job)
    await until(lambda: len(_children(forks)) == 2, "one that waits", seconds=60)
    (waiting,) = _children(forks) - {job}
    os.kill(waiting, signal.SIGKILL)
    await until(lambda: len(_children(forks) - {waiting}) == 2, "another one", seconds=60)
    second = await started(host, folders[1])
    assert first.running
    assert second.running
    await host.aclose()
    await until(lambda: not Path(f"/proc/{forks}").exists(), "the end of what forks", seconds=60)
    assert first.running
    for started_one in (first, second):
        await started_one.kill()
        started_one.let_go()


def _parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def _children(process: int) -> set[int]:
    return set(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))
