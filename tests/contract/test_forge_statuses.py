"""What every `Forge` promises of commit statuses (ports/forge.py), with a server in the forge's place."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pawl.adapters.forge_bitbucket import BitbucketForge
from pawl.adapters.forge_gitea import GiteaForge
from pawl.adapters.forge_github import GitHubForge
from pawl.adapters.forge_gitlab import GitLabForge
from pawl.adapters.http_out import Allowed, HttpSender, SenderLimits
from pawl.core.model.errors import TransientError, Unavailable, UsageError
from pawl.core.model.forge import CommitState, CommitStatus, ForgeAccess, ForgeKind
from pawl.ports.forge import Forge
from pawl.testing.clock import FakeClock
from tests.forge_server import ForgeServer, Told, forge_server

TOKEN = "t0ken-of-the-project"
SHA = "a" * 40
NOW = 1_750_000_000.0
FORGES = {
    ForgeKind.GITHUB: GitHubForge,
    ForgeKind.GITLAB: GitLabForge,
    ForgeKind.GITEA: GiteaForge,
    ForgeKind.BITBUCKET: BitbucketForge,
}
STATUS = CommitStatus(
    sha=SHA,
    context="pawl/ci",
    state=CommitState.SUCCESS,
    description="all 3 jobs succeeded",
    url="https://ci.example/runs/7",
    ref="main",
)


@dataclass
class Case:
    forge: Forge
    server: ForgeServer
    access: ForgeAccess

    async def report(self, **changes: Any) -> Any:
        await self.forge.report(self.access, replace(STATUS, **changes))
        return self.server.last.json()


@pytest.fixture
async def server() -> AsyncIterator[ForgeServer]:
    async with forge_server() as made:
        yield made


@pytest.fixture
async def sender() -> AsyncIterator[HttpSender]:
    made = HttpSender(Allowed.of(["127.0.0.1"]), limits=SenderLimits(answer=10_000))
    yield made
    await made.aclose()


@pytest.fixture(params=list(FORGES), ids=lambda kind: kind.value)
async def case(request: pytest.FixtureRequest, server: ForgeServer, sender: HttpSender) -> Case:
    forge = FORGES[request.param](sender, FakeClock(NOW))
    return Case(forge, server, ForgeAccess(repository="acme/app", api_url=f"{server.url}/api", token=TOKEN))


CALLS = {
    ForgeKind.GITHUB: (
        f"/api/repos/acme/app/statuses/{SHA}",
        {
            "authorization": f"Bearer {TOKEN}",
            "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28",
        },
        {
            "state": "success",
            "context": "pawl/ci",
            "description": "all 3 jobs succeeded",
            "target_url": "https://ci.example/runs/7",
        },
    ),
    ForgeKind.GITLAB: (
        f"/api/projects/acme%2Fapp/statuses/{SHA}",
        {"private-token": TOKEN},
        {
            "state": "success",
            "name": "pawl/ci",
            "description": "all 3 jobs succeeded",
            "target_url": "https://ci.example/runs/7",
            "ref": "main",
        },
    ),
    ForgeKind.GITEA: (
        f"/api/repos/acme/app/statuses/{SHA}",
        {"authorization": f"token {TOKEN}"},
        {
            "state": "success",
            "context": "pawl/ci",
            "description": "all 3 jobs succeeded",
            "target_url": "https://ci.example/runs/7",
        },
    ),
    ForgeKind.BITBUCKET: (
        f"/api/repositories/acme/app/commit/{SHA}/statuses/build",
        {"authorization": f"Bearer {TOKEN}"},
        {
            "state": "SUCCESSFUL",
            "key": "pawl/ci",
            "name": "pawl/ci",
            "description": "all 3 jobs succeeded",
            "url": "https://ci.example/runs/7",
            "refname": "main",
        },
    ),
}


async def test_a_status_is_one_call_as_the_forge_documents_it(case: Case) -> None:
    path, headers, body = CALLS[case.forge.kind]
    assert await case.report() == body
    asked = case.server.last
    assert (asked.method, asked.path) == ("POST", path)
    assert {name: asked.headers.get(name) for name in headers} == headers
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["user-agent"] == "pawl"
    assert len(case.server.asked) == 1


WORDS = {
    ForgeKind.GITHUB: ["pending", "pending", "success", "failure", "error", "error", "success"],
    ForgeKind.GITLAB: ["pending", "running", "success", "failed", "failed", "canceled", "skipped"],
    ForgeKind.GITEA: ["pending", "pending", "success", "failure", "error", "error", "success"],
    ForgeKind.BITBUCKET: [
        *("INPROGRESS", "INPROGRESS", "SUCCESSFUL", "FAILED", "FAILED", "STOPPED", "SUCCESSFUL"),
    ],
}


async def test_every_state_has_the_forges_word(case: Case) -> None:
    said = [(await case.report(state=state))["state"] for state in CommitState]
    assert said == WORDS[case.forge.kind]


async def test_a_long_description_is_cut_to_what_the_forge_takes(case: Case) -> None:
    most = 140 if case.forge.kind is ForgeKind.GITHUB else 255
    body = await case.report(description="é" * most)
    assert body["description"] == "é" * most
    body = await case.report(description="x" * (most + 1))
    assert body["description"] == "x" * (most - 1) + "…"
    body = await case.report(description="one\ntwo\x1b[31m\u202e three")
    assert body["description"] == "one two [31m three"


async def test_names_that_mean_something_in_a_url_are_encoded(case: Case) -> None:
    case.access = replace(case.access, repository="acme/a b?c#d%2e")
    await case.report(sha="../../x?y")
    path = case.server.last.path
    assert "?" not in path
    assert "#" not in path
    assert "a%20b%3Fc%23d%252e" in path
    assert "..%2F..%2Fx%3Fy" in path


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
async def test_a_forge_that_is_away_is_asked_again_later(case: Case, status: int) -> None:
    case.server.answers = lambda _: Told(status, {"message": "not now"}, {"Retry-After": "17"})
    with pytest.raises(Unavailable, match="not now") as caught:
        await case.report()
    assert caught.value.retry_after == 17


@pytest.mark.parametrize(
    ("told", "wait"),
    [
        (Told(429, {}, {"Retry-After": "Sun, 15 Jun 2025 15:07:10 GMT"}), 30),
        (Told(429, {}, {"Retry-After": "999999"}), 3600),
        (Told(429, {}, {"Retry-After": "-5"}), 60),
        (Told(429, {}, {"Retry-After": "0"}), 1),
        (Told(503, {}, {"Retry-After": "soon"}), 5),
        (Told(503, b"<html>", {}), 5),
        (Told(403, {}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1750000100"}), 100),
        (Told(403, {"message": "You have exceeded a secondary rate limit."}, {}), 60),
        (Told(429, {}, {"RateLimit-Reset": "1750000042"}), 42),
    ],
    ids=["date", "far", "negative", "now", "word", "garbage", "used-up", "secondary", "gitlab"],
)
async def test_how_long_to_wait_is_what_the_forge_says(case: Case, told: Told, wait: float) -> None:
    case.server.answers = lambda _: told
    with pytest.raises(Unavailable) as caught:
        await case.report()
    assert caught.value.retry_after == wait


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
async def test_a_refusal_says_what_the_forge_said_and_how_to_mend_it(case: Case, status: int) -> None:
    case.server.answers = lambda _: Told(status, {"message": f"no: {TOKEN}\n\x1b[1mat all"})
    with pytest.raises(UsageError) as caught:
        await case.report()
    assert f"answered with {status}: no: *** [1mat all" in caught.value.message
    assert "acme/app" in caught.value.message
    if status in {401, 403, 404, 422}:
        assert caught.value.hint


async def test_a_redirect_is_not_followed(case: Case) -> None:
    case.server.answers = lambda _: Told(302, {}, {"Location": f"{case.server.url}/elsewhere"})
    with pytest.raises(UsageError, match="302"):
        await case.report()
    assert len(case.server.asked) == 1


async def test_an_answer_without_end_is_not_read_to_it(case: Case) -> None:
    case.server.answers = lambda _: Told(200, b"x" * 20_000)
    with pytest.raises(TransientError, match="more than 10000 bytes"):
        await case.report()


async def test_a_forge_that_is_not_there_is_asked_again_later(case: Case) -> None:
    case.access = replace(case.access, api_url="http://127.0.0.1:1/api")
    with pytest.raises(TransientError, match=r"127\.0\.0\.1"):
        await case.report()


async def test_without_a_token_nothing_is_sent(case: Case) -> None:
    case.access = replace(case.access, token="")
    with pytest.raises(UsageError, match="no token") as caught:
        await case.report()
    assert caught.value.hint
    assert case.server.asked == []


async def test_a_job_gets_no_token_of_its_own_where_the_forge_makes_none(case: Case) -> None:
    assert await case.forge.token(case.access, {"contents": "read"}, NOW) is None
    assert case.server.asked == []


async def test_no_access_or_error_shows_the_token(case: Case) -> None:
    assert TOKEN not in repr(case.access)
    case.server.answers = lambda _: Told(500, {"message": TOKEN})
    with pytest.raises(Unavailable) as caught:
        await case.report()
    assert TOKEN not in str(caught.value)


async def test_gitlab_a_state_that_stands_already_is_no_error(
    server: ForgeServer, sender: HttpSender
) -> None:
    message = "Cannot transition status via :run from :running (Reason(s): Status cannot transition)"
    server.answers = lambda _: Told(400, {"message": message})
    access = ForgeAccess(repository="acme/app", api_url=server.url, token=TOKEN)
    await GitLabForge(sender, FakeClock(NOW)).report(access, STATUS)
    assert len(server.asked) == 1


async def test_gitlab_projects_of_subgroups_are_one_word_of_the_path(
    server: ForgeServer, sender: HttpSender
) -> None:
    access = ForgeAccess(repository="acme/tools/app", api_url=server.url, token=TOKEN)
    await GitLabForge(sender, FakeClock(NOW)).report(access, replace(STATUS, ref="", url="x" * 256))
    assert server.last.path == f"/projects/acme%2Ftools%2Fapp/statuses/{SHA}"
    assert not {"ref", "target_url"} & set(server.last.json())


async def test_bitbucket_an_account_speaks_with_its_name(server: ForgeServer, sender: HttpSender) -> None:
    access = ForgeAccess(repository="acme/app", api_url=server.url, token=TOKEN, user="ann@example.org")
    basic = base64.b64encode(f"ann@example.org:{TOKEN}".encode()).decode()
    server.answers = lambda _: Told(401, {"error": {"message": f"not {basic}"}})
    with pytest.raises(UsageError) as caught:
        await BitbucketForge(sender, FakeClock(NOW)).report(access, STATUS)
    assert server.last.headers["authorization"] == f"Basic {basic}"
    assert basic not in caught.value.message


async def test_bitbucket_keys_are_short_and_tell_contexts_apart(
    server: ForgeServer, sender: HttpSender
) -> None:
    access = ForgeAccess(repository="acme/app", api_url=server.url, token=TOKEN)
    forge = BitbucketForge(sender, FakeClock(NOW))
    keys = []
    for context in ("x" * 40, "x" * 41, "x" * 42):
        await forge.report(access, replace(STATUS, context=context, url=""))
        keys.append(server.last.json()["key"])
        assert server.last.json()["url"] == f"https://bitbucket.org/acme/app/commits/{SHA}"
    assert keys[0] == "x" * 40
    assert len(set(keys)) == 3
    assert max(map(len, keys)) == 40


async def test_gitea_needs_to_be_told_where_it_is(sender: HttpSender) -> None:
    access = ForgeAccess(repository="acme/app", api_url="", token=TOKEN)
    with pytest.raises(UsageError, match="no API"):
        await GiteaForge(sender, FakeClock(NOW)).report(access, STATUS)
