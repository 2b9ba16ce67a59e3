"""A server that is killed loses no webhook it acknowledged, and works on none twice (F2, F3, I21, I22)."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.installation import Installation, installation
from tests.faults.processes import until
from tests.git_server import Mode, Repository, git_server
from tests.integration.intaking import CI, NAME, ON_PUSH, SECRET, ZEROS, github

PLAIN_GIT = {"PAWL_SERVER_PLAIN_GIT": "true"}


def add_project(pawl: Installation, repository: Repository) -> None:
    project = {"name": NAME, "forge": "github", "clone_url": repository.url, "secrets": {"hook": SECRET}}
    pawl.api.post("/api/projects", {**project, "poll_seconds": 0})


def send(pawl: Installation, sha: str, key: str) -> int:
    """Send the webhook of a push and return the status of the answer, 0 for none."""
    body = {
        "ref": "refs/heads/main",
        "before": ZEROS,
        "after": sha,
        "repository": {"full_name": NAME, "default_branch": "main"},
        "sender": {"login": "ann"},
    }
    received = github("push", body, key)
    request = urllib.request.Request(
        f"http://127.0.0.1:{pawl.api.port}/webhooks/github/{NAME}",
        data=received.body,
        headers=dict(received.headers),
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
            return int(answer.status)
    except (OSError, urllib.error.URLError):
        return 0


def states(pawl: Installation) -> Counter[str]:
    listed = pawl.api.get("/api/deliveries?limit=200")["deliveries"]
    return Counter(str(each["state"]) for each in listed)


def runs_by_commit(pawl: Installation) -> Counter[str]:
    return Counter(str(run["sha"]) for run in pawl.api.get("/api/runs?limit=200")["runs"])


def test_a_delivery_that_was_acknowledged_is_worked_on_after_a_kill(tmp_path: Path) -> None:
    with (
        git_server(tmp_path / "host") as host,
        installation(tmp_path / "pawl", slots=0, settings=PLAIN_GIT) as pawl,
    ):
        repository = host.repository(NAME)
        sha = repository.commit({CI: ON_PUSH})
        add_project(pawl, repository)
        host.mode = Mode.SILENT
        assert send(pawl, sha, "d-1") == 202
        assert host.held.acquire(timeout=60), "the server did not begin to work on it"
        pawl.kill_server()
        host.mode = Mode.WELL
        host.release.set()
        pawl.start_server()
        assert send(pawl, sha, "d-1") == 200
        until(lambda: states(pawl) == {"done": 1}, "the delivery to be worked on")
        assert runs_by_commit(pawl) == {sha: 1}


def test_of_many_pushes_none_is_lost_or_doubled_while_the_server_is_killed(tmp_path: Path) -> None:
    with (
        git_server(tmp_path / "host") as host,
        installation(tmp_path / "pawl", slots=0, settings=PLAIN_GIT) as pawl,
    ):
        repository = host.repository(NAME)
        repository.commit({CI: ON_PUSH})
        add_project(pawl, repository)
        commits = [repository.commit({"n": str(number)}) for number in range(12)]
        with ThreadPoolExecutor(4) as threads:
            sent = threads.map(lambda sha: send(pawl, sha, f"d-{sha}"), commits)
            until(lambda: runs_by_commit(pawl).total() > 1, "the first runs")
            pawl.kill_server()
            lost = [sha for sha, status in zip(commits, sent, strict=True) if status != 202]
        pawl.start_server()
        # As a person presses the button at the forge: for what it saw fail.
        assert {send(pawl, sha, f"d-{sha}") for sha in lost} <= {200, 202}
        until(lambda: states(pawl) == {"done": len(commits)}, "all deliveries to be worked on")
        assert runs_by_commit(pawl) == dict.fromkeys(commits, 1)
        assert host.most_at_once == 1, "one fetch of a repository at a time"
