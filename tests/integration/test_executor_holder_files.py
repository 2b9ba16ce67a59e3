"""What the processes of a worker's jobs share about their engine: files of holders, counters, facts."""

from __future__ import annotations

import math
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from pawl.adapters.executor_docker.engine import EngineFacts
from pawl.adapters.executor_docker.holder_files import HolderFacts, HolderFiles
from pawl.adapters.executor_docker.keeping import Keeper
from pawl.adapters.executor_docker.pristine import is_pristine
from pawl.adapters.executor_docker.remembered import recall, remember

FACTS = HolderFacts(name="holder-1", id="abc", process=7, files={"/etc/hosts": "127.0.0.1 localhost\n"})
ENGINE = EngineFacts(
    description="Docker Engine 1", memory=1, init=True, rootless=False, shares_files=True, holds=True
)
COMMAND = b"/pawl-holder\0holder-1\0"
OLD = "Ip: Forwarding InReceives OutRequests OutDiscards\nIp: 1 5 {} 3\nIcmp: InMsgs\nIcmp: 0\n"
NEW = "Ip6InReceives \t9\nIp6OutRequests \t{}\n"


def test_a_holder_is_had_by_one_at_a_time(tmp_path: Path) -> None:
    files, others = HolderFiles(tmp_path), HolderFiles(tmp_path)
    mine = files.make("holder-1")
    mine.write(FACTS, clean=True)
    assert others.lock("holder-1") is None
    assert list(others.free()) == []
    mine.release()
    (theirs,) = others.free()
    assert theirs.read() == replace(FACTS, clean=True)
    assert files.lock("holder-1") is None
    theirs.release()


def test_what_a_killed_process_had_says_that_it_is_in_use(tmp_path: Path) -> None:
    files = HolderFiles(tmp_path)
    taken = files.make("holder-1")
    taken.write(FACTS, clean=False)
    taken.release()  # as the system does for a process that is killed
    (left,) = files.free()
    facts = left.read()
    assert facts is not None
    assert not facts.clean


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "x"}'])
def test_a_file_that_was_not_finished_is_no_holder(tmp_path: Path, content: str) -> None:
    (tmp_path / "holder-1.json").write_text(content)
    (found,) = HolderFiles(tmp_path).free()
    assert found.read() is None
    found.drop()
    assert not HolderFiles(tmp_path).has("holder-1")
    assert not found.is_held


def test_a_file_that_was_removed_meanwhile_is_not_locked(tmp_path: Path) -> None:
    files = HolderFiles(tmp_path)
    first = files.make("holder-1")
    first.drop()
    assert files.lock("holder-1") is None
    again = files.make("holder-1")
    assert again.is_held
    again.release()


def proc(folder: Path, *, command: bytes = COMMAND, old: str = "0", new: str | None = "0") -> Path:
    (folder / "7/net").mkdir(parents=True)
    (folder / "7/cmdline").write_bytes(command)
    (folder / "7/net/snmp").write_text(OLD.format(old))
    if new is not None:
        (folder / "7/net/snmp6").write_text(NEW.format(new))
    return folder


def test_a_name_space_in_which_nothing_was_sent_is_pristine(tmp_path: Path) -> None:
    assert is_pristine(7, COMMAND, proc(tmp_path / "both"))
    assert is_pristine(7, COMMAND, proc(tmp_path / "no-ipv6", new=None))


@pytest.mark.parametrize(
    "changes", [{"old": "1"}, {"new": "1"}, {"old": "x"}, {"command": b"/pawl-holder\0holder-2\0"}]
)
def test_one_that_was_used_or_cannot_be_known_is_not(tmp_path: Path, changes: dict[str, str | bytes]) -> None:
    assert not is_pristine(7, COMMAND, proc(tmp_path, **changes))  # type: ignore[arg-type]  # test data


def are_kept(folder: Path) -> bool:
    """Ask as the process of a job does."""
    return Keeper(folder).is_there


def test_holders_are_kept_while_their_worker_says_so(tmp_path: Path) -> None:
    worker = Keeper(tmp_path / "holders")
    assert not are_kept(tmp_path / "holders")
    before = HolderFiles(tmp_path / "holders").make("holder-1").idle_since
    worker.begin()
    worker.begin()
    assert are_kept(tmp_path / "holders")
    assert worker.is_there
    assert before <= worker.since < math.inf
    worker.end()
    worker.end()
    assert not are_kept(tmp_path / "holders")
    assert worker.since == math.inf
    worker.begin()
    assert are_kept(tmp_path / "holders")
    worker.end()


def test_holders_are_kept_no_longer_once_their_worker_was_killed(tmp_path: Path) -> None:
    ready, told = os.pipe()
    worker = os.fork()
    if worker == 0:
        Keeper(tmp_path).begin()
        os.write(told, b".")
        signal.pause()
    assert os.read(ready, 1) == b"."
    assert are_kept(tmp_path)
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    assert not are_kept(tmp_path)
    os.close(ready)
    os.close(told)


def test_where_the_disk_refuses_none_are_kept(tmp_path: Path) -> None:
    (tmp_path / "holders").write_text("no folder")
    keeper = Keeper(tmp_path / "holders")
    keeper.begin()
    assert not keeper.is_there


def test_a_process_that_is_gone_has_no_pristine_name_space(tmp_path: Path) -> None:
    assert not is_pristine(8, COMMAND, proc(tmp_path))


def test_what_an_engine_said_is_known_to_the_next_process_for_a_while(tmp_path: Path) -> None:
    path = tmp_path / "data/engine.json"
    assert recall(path, "unix:///a.sock") is None
    remember(path, "unix:///a.sock", "v1.41", ENGINE)
    assert recall(path, "unix:///a.sock") == ("v1.41", ENGINE)
    assert recall(path, "unix:///b.sock") is None
    long_ago = path.stat().st_mtime - 301
    os.utime(path, (long_ago, long_ago))
    assert recall(path, "unix:///a.sock") is None


@pytest.mark.parametrize("content", ["", "[]", '{"address": "a", "version": "v1", "facts": {"odd": 1}}'])
def test_a_file_that_says_nothing_known_is_asked_for_anew(tmp_path: Path, content: str) -> None:
    path = tmp_path / "engine.json"
    path.write_text(content)
    assert recall(path, "a") is None
