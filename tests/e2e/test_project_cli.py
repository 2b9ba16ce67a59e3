"""From a push to a run: a real git host, a signed webhook, a real server and its worker, and the commands."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.server import CI, Machine
from tests.faults.processes import until
from tests.git_server import GitServer, Repository, git_server
from tests.integration.intaking import NAME, ZEROS, github


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GitServer, Repository]]:
    with git_server(tmp_path_factory.mktemp("host")) as server:
        yield server, server.repository(NAME)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("server"))
    made.environment["PAWL_SERVER_PLAIN_GIT"] = "true"
    made.prepare()
    made.commit()
    try:
        made.start()
        yield made
    finally:
        made.end()


def post(address: str, secret: str, sha: str, key: str) -> int:
    body = {
        "ref": "refs/heads/main",
        "before": ZEROS,
        "after": sha,
        "repository": {"full_name": NAME, "default_branch": "main"},
        "sender": {"login": "ann"},
    }
    received = github("push", body, key, secret)
    request = urllib.request.Request(  # noqa: S310 - our own server's
        address, data=received.body, headers=dict(received.headers)
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        return int(answer.status)


def test_a_push_runs_on_the_worker_with_the_files_of_its_commit(
    here: Machine, host: tuple[GitServer, Repository]
) -> None:
    sha = host[1].commit({".github/workflows/ci.yml": CI, "input.txt": "hello from the push\n"})
    code, out, err = here.pawl("project", "add", NAME, "--forge", "github", "--url", host[1].url)
    assert code == 0, err
    address, secret = (line.strip() for line in out.splitlines() if line.startswith("    "))
    assert address == f"{here.url}/webhooks/github/{NAME}"
    assert post(address, secret, sha, "d-1") == 202
    assert post(address, secret, sha, "d-1") == 200

    def delivery() -> dict[str, object]:
        shown: dict[str, object] = json.loads(here.pawl("deliveries", "show", "1", "--json")[1])
        return shown

    until(lambda: delivery()["state"] == "done", "the delivery was worked on")
    shown = here.pawl("deliveries", "show", "1")[1]
    assert ".github/workflows/ci.yml" in shown
    assert "it starts" in shown
    assert "run 1" in here.pawl("deliveries")[1]
    code, out, err = here.pawl("logs", "1", "-f", "--server")
    assert code == 0, err
    assert "hello from the push" in out

    code, out, _ = here.pawl("deliveries", "replay", "1")
    assert (code, "has the same body" in out) == (0, True)
    until(lambda: "run 2" in here.pawl("deliveries")[1], "the replay made a run")
    assert "replay of 1" in here.pawl("deliveries", "--project", NAME)[1]


def test_projects_are_listed_changed_and_removed_and_secrets_come_from_files(
    here: Machine, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("a token of sixteen or more\n")
    code, out, err = here.pawl(
        "project", "add", "acme/door", "--forge", "gitea", "--url", "https://git.example/acme/door.git",
        "--git-token", str(token), "--poll", "0", "--json",
    )  # fmt: skip
    assert code == 0, err
    made = json.loads(out)
    assert (made["secrets"], made["poll_seconds"]) == (["hook", "token"], 0.0)
    assert "acme/door" in here.pawl("project", "list")[1]
    assert here.pawl("project", "set", "acme/door")[0] == 2
    assert here.pawl("project", "set", "acme/door", "--inactive", "--branch", "trunk")[0] == 0
    shown = here.pawl("project", "show", "acme/door")[1]
    assert "trunk" in shown
    assert "a token" not in shown
    assert "inactive" in here.pawl("project", "list")[1]
    code, _, err = here.pawl("project", "add", "door", "--forge", "gitea", "--url", "https://git.example/d")
    assert (code, "owner/name" in err) == (2, True)
    assert here.pawl("project", "remove", "acme/door")[0] == 0
    assert here.pawl("project", "show", "acme/door")[0] == 2
    data = [path.read_bytes() for path in here.data.glob("pawl.db*")]
    assert data
    assert not any(b"a token of sixteen" in each for each in data)
