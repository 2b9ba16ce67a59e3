"""A real server tells a forge, a webhook and its users of a run; killed while it tells, it tells again."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pawl.adapters.forge_generic import GenericForge
from pawl.core.model.forge import Received
from tests.e2e.server import CI, Machine
from tests.faults.processes import until
from tests.git_server import GitServer, Repository, git_server
from tests.integration.intaking import NAME, SECRET, ZEROS
from tests.listening_server import Heard, Listening, listening

CONTEXT = "pawl/CI"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GitServer, Repository]]:
    with git_server(tmp_path_factory.mktemp("host")) as server:
        repository = server.repository(NAME)
        repository.commit({".github/workflows/ci.yml": CI, "input.txt": "hello\n"})
        yield server, repository


@pytest.fixture
def outside() -> Iterator[Listening]:
    with listening() as made:
        yield made


@pytest.fixture
def here(tmp_path: Path, host: tuple[GitServer, Repository], outside: Listening) -> Iterator[Machine]:
    made = Machine(tmp_path)
    made.environment |= {
        "PAWL_SERVER_PLAIN_GIT": "true",
        "PAWL_SERVER_REACH": "127.0.0.1",
        "PAWL_SERVER_URL": "https://ci.example",
    }
    made.prepare()
    (tmp_path / "hook").write_text(SECRET)
    (tmp_path / "token").write_text("the token of the forge")
    try:
        made.start()
        options = ["--forge", "gitea", "--url", host[1].url, "--api-url", f"{outside.url}/api/v1"]
        secrets = ["--hook-secret", str(tmp_path / "hook"), "--git-token", str(tmp_path / "token")]
        code, _, err = made.pawl("project", "add", NAME, *options, *secrets)
        assert code == 0, err
        yield made
    finally:
        made.end()


def push(here: Machine, sha: str) -> None:
    body = json.dumps(
        {
            "ref": "refs/heads/main",
            "before": ZEROS,
            "after": sha,
            "repository": {"full_name": NAME, "default_branch": "main"},
            "sender": {"login": "ann"},
        }
    ).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Gitea-Event": "push",
        "X-Gitea-Delivery": "d-1",
        "X-Gitea-Signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
    }
    request = urllib.request.Request(f"{here.url}/webhooks/gitea/{NAME}", data=body, headers=headers)  # noqa: S310 - our own server's
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        assert answer.status == 202


def told_states(outside: Listening, sha: str) -> list[str]:
    path = f"/api/v1/repos/{NAME}/statuses/{sha}"
    return [each.json()["state"] for each in list(outside.heard) if each.path == path]


def test_a_push_is_told_to_its_forge_and_to_who_wants_to_hear(
    here: Machine, host: tuple[GitServer, Repository], outside: Listening
) -> None:
    code, out, err = here.pawl("notify", "add", f"{outside.url}/hook", "--project", NAME, "--told", "changes")
    assert code == 0, err
    secret = out.splitlines()[-1].strip()
    assert here.pawl("notify", "test", "1")[:2] == (0, "It arrived: 200 {}\n")
    code, out, _ = here.pawl("notify", "list")
    assert (code, f"{outside.url}/hook" in out, secret in out) == (0, True, False)
    sha = host[1].git("rev-parse", "HEAD")
    push(here, sha)
    until(lambda: told_states(outside, sha)[-1:] == ["success"], "the forge to hear of the end")
    assert set(told_states(outside, sha)) == {"pending", "success"}
    last = [each for each in outside.heard if "/statuses/" in each.path][-1].json()
    assert (last["context"], last["target_url"]) == (CONTEXT, "https://ci.example/runs/1")
    until(lambda: "yes" in here.pawl("notify", "statuses")[1], "the status to be marked as sent")
    (ping,) = [each for each in outside.heard if urlsplit(each.path).path == "/hook"]
    GenericForge().verify(Received(headers=ping.headers, body=ping.body), secret, _time_of(ping))
    assert "done" in here.pawl("notify", "log", "--to", "1")[1]
    code, out, err = here.pawl("notify", "again", "1")
    assert (code, err) == (0, "")
    until(lambda: sum(each.path == "/hook" for each in outside.heard) == 2, "the notice to be sent again")
    outside.status = 503
    code, _, err = here.pawl("notify", "test", "1")
    assert (code, "it did not arrive: 503" in err) == (3, True)
    assert here.pawl("notify", "enable", "1")[0] == 0
    assert here.pawl("notify", "remove", "1")[0] == 0
    assert here.pawl("notify", "list")[2] == "Nobody is told.\n"
    code, _, err = here.pawl("notify", "add", "ann@example.org,bob")
    assert (code, "`bob` is no address" in err) == (2, True)


def _time_of(heard: Heard) -> float:
    return float(heard.headers["x-ci-signature"].partition(",")[0].removeprefix("t="))


def test_a_server_killed_between_the_post_and_its_mark_leaves_the_last_state_at_the_forge(
    here: Machine, host: tuple[GitServer, Repository], outside: Listening
) -> None:
    arrived, killed = threading.Event(), threading.Event()

    def hold(_: Heard) -> None:
        arrived.set()
        killed.wait(120)

    outside.before_answer = hold
    sha = host[1].git("rev-parse", "HEAD")
    port = urlsplit(here.url).port or 0
    try:
        push(here, sha)
        assert arrived.wait(120)
        here.kill()
    finally:
        outside.before_answer = lambda _: None
        killed.set()
    here.start(port)
    until(lambda: told_states(outside, sha)[-1:] == ["success"], "the forge to hear of the end")
    until(lambda: "yes" in here.pawl("notify", "statuses")[1], "the status to be marked as sent")
    assert told_states(outside, sha)[-1] == "success"
