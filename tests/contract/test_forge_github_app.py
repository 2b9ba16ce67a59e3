"""GitHub Apps: check runs with annotations, and tokens, against a server that keeps them as GitHub does."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pawl.adapters.forge_github import GitHubForge
from pawl.adapters.http_out import Allowed, HttpSender
from pawl.core.model.errors import TransientError, Unavailable, UsageError
from pawl.core.model.forge import Annotation, CommitState, CommitStatus, ForgeAccess
from pawl.testing.clock import FakeClock
from tests.forge_server import Asked, ForgeServer, Told, forge_server

NOW = 1_750_000_000.0
SHA = "a" * 40
STATUS = CommitStatus(sha=SHA, context="pawl/ci", state=CommitState.PENDING, url="https://ci.example/runs/7")


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(of: Any) -> str:
    content: bytes = of.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return content.decode()


def claimed(asked: Asked) -> dict[str, Any]:
    """Return what a signed claim says; fail when it was not signed with the App's key."""
    text, _, signature = asked.headers["authorization"].removeprefix("Bearer ").rpartition(".")
    unpacked = base64.urlsafe_b64decode(signature + "==")
    key().public_key().verify(unpacked, text.encode(), padding.PKCS1v15(), hashes.SHA256())
    head, claim = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in text.split("."))
    assert head == {"alg": "RS256", "typ": "JWT"}
    assert isinstance(claim, dict)
    return claim


@dataclass
class GitHub:
    """What GitHub keeps: check runs, to which annotations are added, and tokens that end."""

    clock: FakeClock
    allowed: dict[str, str] = field(default_factory=lambda: {"checks": "write", "contents": "write"})
    runs: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[dict[str, Any]] = field(default_factory=list)
    fault: Told | None = None
    fault_on: str = ""

    def answer(self, asked: Asked) -> Told:
        path = urlsplit(asked.path).path
        if self.fault is not None and f"{asked.method} {path}".startswith(self.fault_on):
            return self.fault
        if path.endswith("/installation"):
            return self._installation(asked)
        if path == "/app/installations/12/access_tokens":
            return self._token(asked)
        if asked.headers["authorization"] not in [f"Bearer {each['token']}" for each in self.tokens]:
            return Told(401, {"message": "Bad credentials"})
        if asked.method == "GET":
            return self._list(asked)
        body = asked.json()
        if len(body["output"].get("annotations", ())) > 50:
            return Told(422, {"message": "no more than 50 annotations"})
        return self._make(body) if asked.method == "POST" else self._change(path, body)

    def _installation(self, asked: Asked) -> Told:
        try:
            claim = claimed(asked)
        except InvalidSignature:
            return Told(401, {"message": "A JSON web token could not be decoded"})
        assert claim["iss"] == "99"
        assert claim["iat"] <= self.clock.now() < claim["exp"] <= self.clock.now() + 600
        return Told(200, {"id": 12, "permissions": self.allowed})

    def _token(self, asked: Asked) -> Told:
        claimed(asked)
        body = asked.json()
        ends = datetime.fromtimestamp(self.clock.now() + 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = {"token": f"ghs_{len(self.tokens)}", "expires_at": ends, "permissions": body["permissions"]}
        self.tokens.append({**made, "repositories": body["repositories"]})
        return Told(201, made)

    def _list(self, asked: Asked) -> Told:
        query = parse_qs(urlsplit(asked.path).query)
        assert query["app_id"] == ["99"]
        found = [run for run in self.runs if run["name"] == query["check_name"][0]]
        return Told(200, {"total_count": len(found), "check_runs": found[-1:]})

    def _make(self, body: dict[str, Any]) -> Told:
        run = {"id": len(self.runs) + 1, "conclusion": None, "annotations": []}
        self.runs.append(run)
        return self._written(run, body, 201)

    def _change(self, path: str, body: dict[str, Any]) -> Told:
        run = next(each for each in self.runs if each["id"] == int(path.rpartition("/")[2]))
        return self._written(run, body, 200)

    def _written(self, run: dict[str, Any], body: dict[str, Any], status: int) -> Told:
        output = dict(body.pop("output"))
        run["annotations"] += output.pop("annotations", [])
        run.update(body)
        run["output"] = {**output, "annotations_count": len(run["annotations"])}
        return Told(status, {key: value for key, value in run.items() if key != "annotations"})


@dataclass
class Case:
    server: ForgeServer
    github: GitHub
    forge: GitHubForge
    access: ForgeAccess
    clock: FakeClock

    def calls(self, method: str = "") -> list[Asked]:
        return [
            asked
            for asked in self.server.asked
            if "check-runs" in asked.path and (not method or asked.method == method)
        ]


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    clock = FakeClock(NOW)
    sender = HttpSender(Allowed.of(["127.0.0.1"]))
    async with forge_server() as server:
        github = GitHub(clock)
        server.answers = github.answer
        access = ForgeAccess(repository="acme/app", api_url=server.url, app_id="99", app_key=pem(key()))
        yield Case(server, github, GitHubForge(sender, clock), access, clock)
    await sender.aclose()


def notes(count: int) -> tuple[Annotation, ...]:
    return tuple(Annotation(path="a.py", line=n + 1, message=f"note {n}") for n in range(count))


async def test_a_check_is_made_once_and_changed_after(case: Case) -> None:
    await case.forge.report(case.access, STATUS)
    await case.forge.report(case.access, replace(STATUS, state=CommitState.RUNNING, started_at=NOW))
    done = replace(
        STATUS,
        state=CommitState.FAILURE,
        description="2 of 3 jobs failed",
        started_at=NOW,
        completed_at=NOW + 61.7,
    )
    await case.forge.report(case.access, done)
    (run,) = case.github.runs
    assert run["name"] == "pawl/ci"
    assert run["head_sha"] == SHA
    assert (run["status"], run["conclusion"]) == ("completed", "failure")
    assert run["started_at"] == "2025-06-15T15:06:40Z"
    assert run["completed_at"] == "2025-06-15T15:07:41Z"
    assert run["details_url"] == "https://ci.example/runs/7"
    assert run["output"]["title"] == run["output"]["summary"] == "2 of 3 jobs failed"
    assert [asked.method for asked in case.calls() if asked.method != "GET"] == ["POST", "PATCH", "PATCH"]
    assert case.calls("POST")[0].path == "/repos/acme/app/check-runs"
    assert case.calls("PATCH")[0].path == "/repos/acme/app/check-runs/1"


@pytest.mark.parametrize(
    ("state", "status", "conclusion"),
    [
        (CommitState.PENDING, "queued", None),
        (CommitState.RUNNING, "in_progress", None),
        (CommitState.SUCCESS, "completed", "success"),
        (CommitState.FAILURE, "completed", "failure"),
        (CommitState.ERROR, "completed", "failure"),
        (CommitState.CANCELLED, "completed", "cancelled"),
        (CommitState.SKIPPED, "completed", "skipped"),
    ],
)
async def test_every_state_has_githubs_word(
    case: Case, state: CommitState, status: str, conclusion: str | None
) -> None:
    await case.forge.report(case.access, replace(STATUS, state=state))
    assert (case.github.runs[0]["status"], case.github.runs[0]["conclusion"]) == (status, conclusion)


async def test_the_same_again_changes_nothing(case: Case) -> None:
    done = replace(STATUS, state=CommitState.SUCCESS, description="good", annotations=notes(3))
    for _ in range(3):
        await case.forge.report(case.access, done)
    assert len(case.github.runs) == 1
    assert len(case.github.runs[0]["annotations"]) == 3
    assert not case.calls("PATCH")


@pytest.mark.parametrize("count", [0, 1, 50, 51, 100, 120])
async def test_annotations_are_sent_fifty_at_a_time(case: Case, count: int) -> None:
    done = replace(STATUS, state=CommitState.FAILURE, annotations=notes(count))
    await case.forge.report(case.access, done)
    assert [each["message"] for each in case.github.runs[0]["annotations"]] == [
        f"note {n}" for n in range(count)
    ]
    assert len(case.calls()) - len(case.calls("GET")) == max(1, -(-count // 50))


async def test_annotations_go_on_where_a_failure_left_them(case: Case) -> None:
    done = replace(STATUS, state=CommitState.FAILURE, annotations=notes(120))
    case.github.fault, case.github.fault_on = Told(502), "PATCH "
    with pytest.raises(Unavailable):
        await case.forge.report(case.access, done)
    assert len(case.github.runs[0]["annotations"]) == 50
    case.github.fault = None
    await case.forge.report(case.access, done)
    assert [each["message"] for each in case.github.runs[0]["annotations"]] == [
        f"note {n}" for n in range(120)
    ]


async def test_an_annotation_has_a_place_a_level_and_words(case: Case) -> None:
    told = Annotation(path="b.py", line=3, end_line=2, message="", level="warning", title="Look")
    await case.forge.report(case.access, replace(STATUS, state=CommitState.FAILURE, annotations=(told,)))
    assert case.github.runs[0]["annotations"] == [
        {
            "path": "b.py",
            "start_line": 3,
            "end_line": 3,
            "annotation_level": "warning",
            "message": "Look",
            "title": "Look",
        }
    ]


async def test_work_that_begins_again_makes_a_new_check(case: Case) -> None:
    await case.forge.report(case.access, replace(STATUS, state=CommitState.FAILURE, annotations=notes(2)))
    await case.forge.report(case.access, STATUS)
    await case.forge.report(case.access, replace(STATUS, state=CommitState.SUCCESS))
    assert [(run["id"], run["conclusion"]) for run in case.github.runs] == [(1, "failure"), (2, "success")]


async def test_the_servers_own_token_is_kept_until_shortly_before_its_end(case: Case) -> None:
    for wait in (0, 3000, 299):
        case.clock.advance(wait)
        await case.forge.report(case.access, STATUS)
    assert len(case.github.tokens) == 1
    case.clock.advance(2)
    await case.forge.report(case.access, STATUS)
    assert len(case.github.tokens) == 2
    assert case.github.tokens[0]["repositories"] == ["app"]
    assert case.github.tokens[0]["permissions"] == {"checks": "write"}


async def test_a_token_that_is_refused_is_not_used_again(case: Case) -> None:
    await case.forge.report(case.access, STATUS)
    case.github.tokens[0]["token"] = "revoked"
    with pytest.raises(UsageError, match="401"):
        await case.forge.report(case.access, STATUS)
    await case.forge.report(case.access, STATUS)
    assert len(case.github.tokens) == 2


async def test_a_job_gets_a_token_of_its_own_for_its_repository_and_permissions(case: Case) -> None:
    wanted = {"contents": "read", "id-token": "write", "checks": "none"}
    first = await case.forge.token(case.access, wanted, case.clock.now())
    second = await case.forge.token(case.access, wanted, case.clock.now())
    assert first is not None
    assert second is not None
    assert first.secret != second.secret
    assert (first.user, first.expires_at) == ("x-access-token", NOW + 3600)
    assert first.permissions == {"contents": "read"}
    assert case.github.tokens[0]["repositories"] == ["app"]
    assert first.secret not in repr(first)


@pytest.mark.parametrize(
    ("allowed", "wanted", "given"),
    [
        ({"contents": "read"}, {"contents": "write"}, {"contents": "read"}),
        ({"contents": "write"}, {"contents": "read"}, {"contents": "read"}),
        ({"pull_requests": "write"}, {"pull-requests": "write"}, {"pull_requests": "write"}),
        ({"administration": "write"}, {"administration": "write"}, {"metadata": "read"}),
        ({"contents": "write"}, {"issues": "write"}, {"metadata": "read"}),
        ({"contents": "write"}, {}, {"metadata": "read"}),
    ],
)
async def test_no_token_has_more_than_both_the_workflow_and_the_app_allow(
    case: Case, allowed: dict[str, str], wanted: dict[str, str], given: dict[str, str]
) -> None:
    case.github.allowed = allowed
    await case.forge.token(case.access, wanted, case.clock.now())
    assert case.github.tokens[0]["permissions"] == given


@pytest.mark.parametrize(
    "app_key", ["", "not a key", pem(ec.generate_private_key(ec.SECP256R1()))], ids=["no", "text", "ec"]
)
async def test_a_key_that_is_no_rsa_key_is_told(case: Case, app_key: str) -> None:
    access = replace(case.access, app_key=app_key, token="")
    with pytest.raises(UsageError) as caught:
        await case.forge.report(access, STATUS)
    assert caught.value.hint
    assert case.server.asked == []


async def test_another_apps_key_is_refused(case: Case) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(UsageError, match="401"):
        await case.forge.report(replace(case.access, app_key=pem(other)), STATUS)


@pytest.mark.parametrize("body", [{}, {"id": "x"}, [], b"garbage", {"id": 12}])
async def test_an_answer_that_is_none_is_asked_for_again(case: Case, body: Any) -> None:
    case.github.fault, case.github.fault_on = Told(200, body), "GET /repos/acme/app/installation"
    with pytest.raises(TransientError, match="installation"):
        await case.forge.report(case.access, STATUS)


@pytest.mark.parametrize("body", [{}, {"token": 1}, {"token": "t", "expires_at": "soon"}])
async def test_a_token_without_an_end_is_none(case: Case, body: Any) -> None:
    case.github.fault, case.github.fault_on = Told(201, body), "POST /app"
    with pytest.raises(TransientError, match="token"):
        await case.forge.token(case.access, {"contents": "read"}, NOW)


async def test_an_app_that_is_not_installed_is_told(case: Case) -> None:
    case.github.fault, case.github.fault_on = Told(404, {"message": "Not Found"}), "GET /repos"
    with pytest.raises(UsageError, match="installation at acme/app was answered with 404: Not Found"):
        await case.forge.token(case.access, {"contents": "read"}, NOW)
