"""`pawl serve` and the commands that ask it, with a real server, worker, repository and database."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawl.adapters.store_sql import open_store
from pawl.ports.store import RunFilter
from tests.e2e.server import Machine, machine
from tests.faults.processes import until
from tests.faults.tls import make_authority, tls_proxy_to
from tests.postgres import serving


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine(tmp_path_factory.mktemp("server")) as made:
        yield made


def test_a_run_is_triggered_followed_listed_and_its_log_read_again(here: Machine) -> None:
    code, out, err = here.pawl("trigger", "ci", "--follow")
    assert code == 0, out + err
    assert "[build] hello from the commit" in out
    assert "[test] tested" in out
    assert "CI succeeded in" in out
    number = json.loads(here.pawl("runs", "--json", "--server")[1])[0]["id"]
    assert f"run {number} on {here.url}" in err
    assert f"[build] Run {number}, job build, attempt 1" in out
    assert "CI" in here.pawl("runs", "--server")[1]
    assert "`pawl runs --server`" in here.pawl("runs")[2]

    code, out, _ = here.pawl("logs", str(number), "--step", "Build", "--tail", "1", "--json", "--server")
    assert code == 0
    told = json.loads(out)
    assert (told["job"], told["step"], told["text"]) == ("build", "Build", "hello from the commit")

    code, out, err = here.pawl("logs", str(number))  # no run of the project has that number
    assert code == 0
    assert "[test] tested" in out
    assert f"run {number} of {here.url}" in err
    events = [json.loads(line) for line in here.pawl("rerun", str(number), "-f", "--json")[1].splitlines()]
    assert [each["type"] for each in events].count("run_finished") == 1  # nothing of the first attempt
    assert (events[0]["type"], events[-1]["type"]) == ("run_started", "run_finished")
    assert {each["conclusion"] for each in events if each["type"] == "job_finished"} == {"success"}


def test_a_run_that_fails_ends_with_1_and_can_run_again(here: Machine) -> None:
    code, out, _ = here.pawl("trigger", "fails", "-f")
    assert code == 1
    assert "First failure: bad" in out
    number = str(json.loads(here.pawl("runs", "--json", "--server")[1])[0]["id"])
    assert f"pawl rerun {number} --failed" in out
    code, out, _ = here.pawl("logs", number, "--failed", "--server")
    assert (code, "oops" in out, "fine" in out) == (0, True, False)
    code, out, _ = here.pawl("rerun", number, "--failed")
    assert (code, out) == (0, f"Run {number} runs again, attempt 2.\n")
    code, out, _ = here.pawl("logs", number, "-f", "--server")
    assert code == 1
    assert out.count("[bad] oops") == 2
    code, out, _ = here.pawl("rerun", number, "--failed", "-f")
    assert (code, out.count("[bad] oops")) == (1, 1)
    assert "First failure: bad" in out

    code, out, _ = here.pawl("logs", number, "--server", "--attempt", "1", "--step", "Set up job")
    assert (code, f"Run {number}, job bad, attempt 1" in out) == (0, True)
    assert f"Run {number}, job bad, attempt 3" in here.pawl("logs", number, "--server")[1]
    code, _, err = here.pawl("logs", number, "--server", "--attempt", "4")
    assert (code, "the highest number of an attempt is 3" in err) == (2, True)
    assert here.pawl("logs", number, "--server", "--attempt", "1", "-f")[0] == 2


@pytest.mark.parametrize("options", [(), ("-f",)])
def test_a_log_that_nobody_reads_to_its_end_ends_quietly(here: Machine, options: tuple[str, ...]) -> None:
    number = here.trigger("ci")
    assert here.pawl("logs", str(number), "-f", "--server")[0] == 0
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pawl.cli.main", "logs", str(number), "--server", *options],
            cwd=here.project, env=here.environment, stdout=writing, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_log_is_followed_through_the_death_of_the_server(here: Machine, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    number = here.trigger("waits", "--input", f"gate={gate}")
    first = here.follow("first", "logs", str(number), "--server", "-f")
    first.wait_for("before 3")
    here.kill()
    here.start(int(here.url.rpartition(":")[2]))
    late = here.follow("late", "logs", str(number), "--server", "-f")
    late.wait_for("before 3")
    gate.touch()
    assert (first.wait(), late.wait()) == (0, 0)
    for each in (first, late):
        lines = [
            line for line in each.text.splitlines() if line.startswith(("[wait] before", "[wait] after"))
        ]
        assert lines == [f"[wait] {word} {i}" for word in ("before", "after") for i in (1, 2, 3)]


def test_ctrl_c_ends_the_showing_and_not_the_run(here: Machine, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    showing = here.follow("showing", "trigger", "waits", "-f", "--input", f"gate={gate}")
    showing.wait_for("before 3")
    showing.interrupt()
    assert showing.wait() == 130
    assert "goes on without us" in showing.text
    gate.touch()
    code, out, _ = here.pawl("logs", "-f", "--server")
    assert code == 0
    assert "[wait] after 3" in out


def test_a_job_that_nobody_can_take_says_so_in_the_queue_and_can_be_cancelled(here: Machine) -> None:
    number = here.trigger("nobody")
    code, out, _ = here.pawl("queue", "--json")
    assert code == 0
    entry = next(each for each in json.loads(out) if each["run"] == number)
    assert (entry["position"], entry["job"]) == (1, "gpu")
    assert "gpu" in entry["reason"]
    assert entry["reason"] in here.pawl("queue")[1]
    code, _, err = here.pawl("cancel", str(number), "--reason", "no such machine")
    assert (code, err) == (0, f"Cancelling run {number}.\n")
    code, _, err = here.pawl("logs", str(number), "-f", "--server")
    assert code == 1
    assert f"run {number} was cancelled: no such machine" in err
    assert "Nothing failed" in here.pawl("logs", str(number), "--server", "--failed")[2]
    assert here.pawl("queue") == (0, "", "Nothing waits.\n")
    told = json.loads(here.pawl("runs", "--json", "--server")[1])[0]
    assert (told["id"], told["conclusion"]) == (number, "cancelled")


def test_what_a_run_kept_is_listed_and_fetched(here: Machine, tmp_path: Path) -> None:
    code, out, _ = here.pawl("trigger", "keeps", "-f")
    number = str(json.loads(here.pawl("runs", "--json", "--server")[1])[0]["id"])
    assert (code, f"pawl artifacts {number} -o artifacts" in out) == (0, True)
    (artifact,) = json.loads(here.pawl("artifacts", number, "--json")[1])
    name = artifact["name"]
    listed = here.pawl("artifacts", number)[1]
    assert name in listed
    assert all(each["name"] in listed for each in artifact["files"])

    for _ in range(2):  # a second time, what is there is compared and left
        code, _, err = here.pawl("artifacts", number, "-o", str(tmp_path / "out"))
        assert (code, err) == (0, f"2 files, 8 B: in {tmp_path}/out.\n")
    found = {path.name: path for path in (tmp_path / "out" / name).rglob("*") if path.is_file()}
    assert {file: path.read_text() for file, path in found.items()} == {
        "one.txt": "one\n",
        "two.txt": "two\n",
    }
    found["one.txt"].write_text("mine\n")
    code, _, err = here.pawl("artifacts", number, name, "-o", str(tmp_path / "out"))
    assert (code, "exists, and is another" in err, found["one.txt"].read_text()) == (2, True, "mine\n")

    found["one.txt"].unlink()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / name).symlink_to(tmp_path / "elsewhere")
    code, _, err = here.pawl("artifacts", number, "-o", str(tmp_path / "linked"))
    assert (code, "leads out of" in err, list((tmp_path / "elsewhere").iterdir())) == (2, True, [])

    code, _, err = here.pawl("artifacts", number, "nothing")
    assert (code, f"run {number} has no artifact `nothing`" in err, f"`{name}`" in err) == (2, True, True)


def test_bytes_that_a_disk_has_changed_are_not_fetched_as_an_artifact(here: Machine, tmp_path: Path) -> None:
    here.pawl("trigger", "keeps", "-f")
    number = str(json.loads(here.pawl("runs", "--json", "--server")[1])[0]["id"])
    (artifact,) = json.loads(here.pawl("artifacts", number, "--json")[1])
    digest = artifact["files"][0]["sha256"]
    blob = next(path for path in (here.data / "blobs").rglob("*") if digest in str(path).replace("/", ""))
    kept = blob.read_bytes()
    blob.chmod(0o600)
    blob.write_bytes(b"0" * len(kept))
    try:
        code, _, err = here.pawl("artifacts", number, "-o", str(tmp_path / "out"))
    finally:
        blob.write_bytes(kept)
    assert code == 3, err
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_tokens_are_made_used_and_revoked(here: Machine, tmp_path: Path) -> None:
    file = tmp_path / "reader.token"
    assert here.pawl("token", "create", "reader", "--scope", "read", "-o", str(file))[0] == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    asked = ("--server", here.url, "--token-file", str(file))
    assert here.pawl("runs", *asked)[0] == 0
    assert here.pawl("cancel", "1", *asked)[0] == 2  # a reader changes nothing
    assert "reader" in here.pawl("token", "list")[1]
    assert here.pawl("token", "revoke", "reader")[0] == 0

    def is_refused() -> bool:
        code, _, err = here.pawl("runs", *asked)
        return code == 2 and "hint: " in err

    until(is_refused, "the revoked token to be refused")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("logs", "999999", "--server"), 2, "`pawl runs --server` lists them"),
        (("cancel", "999999"), 2, "there is no run 999999"),
        (("trigger", "nothing"), 2, "there is no workflow `nothing`"),
        (("trigger", "ci", "--ref", "nothing"), 2, "there is no branch, tag or commit `nothing`"),
        (("trigger", "waits"), 2, "gate"),
        (("queue", "--server", "http://127.0.0.1:9"), 3, "no server answers at http://127.0.0.1:9"),
        (("token", "revoke", "nobody"), 2, "there is no token `nobody`"),
    ],
)
def test_what_cannot_be_done_is_said(
    here: Machine, arguments: tuple[str, ...], code: int, words: str
) -> None:
    found, _, err = here.pawl(*arguments)
    assert found == code, err
    assert words in err
    assert "Traceback" not in err


def test_a_machine_whose_own_token_was_revoked_is_told_how_to_get_another(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        assert here.pawl("token", "revoke", "first")[0] == 0
        told: list[str] = []

        def is_refused() -> bool:
            code, _, err = here.pawl("runs", "--server")
            told.append(err)
            return code == 2

        until(is_refused, "the revoked token to be refused")
        assert "the token was revoked" in told[-1]
        assert "restarting the server" in told[-1]


def test_a_wrong_token_is_refused_with_what_to_do(here: Machine) -> None:
    code, _, err = here.pawl("runs", PAWL_SERVER=here.url, PAWL_TOKEN=f"pawl_{'0' * 64}")
    assert code == 2
    assert "hint: " in err
    code, _, err = here.pawl("runs", PAWL_SERVER=here.url, PAWL_TOKEN="none")
    assert code == 2
    assert "what came as a token is none of Pawl's" in err
    assert "--token-file" in err


def test_doctor_finds_the_installation_well(here: Machine) -> None:
    told = {each["name"]: each for each in json.loads(here.pawl("doctor", "--json")[1])}
    assert {told[name]["mark"] for name in ("data", "database", "server", "answers", "workers")} == {"ok"}
    (here.data / "token").chmod(0o644)
    try:
        code, out, _ = here.pawl("doctor", "--json")
    finally:
        (here.data / "token").chmod(0o600)
    assert code == 1
    assert next(each for each in json.loads(out) if each["name"] == "secrets")["mend"].startswith("chmod 600")


def test_a_backup_of_the_running_server_starts_another_and_moves_to_another_database(
    here: Machine, tmp_path: Path
) -> None:
    assert here.pawl("trigger", "ci", "-f")[0] == 0
    code, out, err = here.pawl("backup", str(tmp_path / "backup"), "--json")
    assert code == 0, err
    copied = json.loads(out)
    runs = json.loads(here.pawl("runs", "--json", "--server", "-n", "200")[1])
    assert (copied["runs"], copied["gone"]) == (len(runs), 0)
    assert not (tmp_path / "backup/token").exists()
    assert here.pawl("backup", str(tmp_path / "backup"))[0] == 2  # nothing is replaced

    code, _, err = here.pawl("restore", str(tmp_path / "backup"), "--data", str(tmp_path / "data"))
    assert code == 0, err
    assert here.pawl("restore", str(tmp_path / "backup"), "--data", str(tmp_path / "data"))[0] == 2
    logs = {path.relative_to(here.data): path.read_bytes() for path in (here.data / "logs").rglob("*.log")}
    assert logs
    assert all((tmp_path / "data" / path).read_bytes() == content for path, content in logs.items())

    url = f"sqlite:///{tmp_path}/data/pawl.db"
    with serving() as postgresql:
        target = postgresql.database()
        code, _, err = here.pawl("migrate-store", url, target)
        assert code == 0, err
        assert here.pawl("migrate-store", url, target)[0] == 2  # it is not empty any more
        assert asyncio.run(_runs_of(target)) == [each["id"] for each in runs]


async def _runs_of(url: str) -> list[int]:
    store = open_store(url)
    try:
        return [each.id for each in await store.read(lambda tx: tx.runs.find(RunFilter(), 200))]
    finally:
        await store.aclose()


def test_a_database_that_is_not_there_is_not_moved_as_an_empty_one(here: Machine, tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    code, _, err = here.pawl("migrate-store", f"sqlite:///{missing}", f"sqlite:///{tmp_path}/moved.db")
    assert (code, f"there is no database {missing}" in err) == (2, True)
    assert not list(tmp_path.iterdir())


def test_an_address_with_https_where_none_is_spoken_says_so(here: Machine) -> None:
    code, _, err = here.pawl("queue", "--server", here.url.replace("http:", "https:"))
    assert (code, "does not speak HTTPS" in err) == (2, True)
    assert "write http://" in err


def test_a_certificate_that_nobody_trusts_is_told_with_how_to_trust_it(here: Machine, tmp_path: Path) -> None:
    with tls_proxy_to(int(here.url.rpartition(":")[2]), make_authority(tmp_path, "own")) as port:
        code, _, err = here.pawl("queue", "--server", f"https://127.0.0.1:{port}")
    assert (code, "is not trusted" in err) == (2, True)
    assert "SSL_CERT_FILE" in err


def test_the_database_of_a_server_that_runs_is_not_moved(here: Machine, tmp_path: Path) -> None:
    code, _, err = here.pawl(
        "migrate-store", f"sqlite:///{here.data}/pawl.db", f"sqlite:///{tmp_path}/moved.db"
    )
    assert code == 2
    assert "is in use by another server" in err
