"""Who may call what: deny by default, and the token alone says who asks."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from pawl.core.model.errors import InternalError, StaleLease
from pawl.core.model.reports import NOTHING
from pawl.server.application import all_routes, make_application
from pawl.server.routes import SCOPES, Body, Caller, Route
from pawl.wire import WORKER_HEADER, ReportRequest, framed, head_of, write_message
from tests.integration.serving import PATIENCE, Serving, moved, serving
from tests.reporting import append_log, tell

ROUTES = all_routes("0")
KINDS = ("none", "unknown", "revoked", "read", "user", "admin", "worker")


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serving]:
    async with serving(tmp_path_factory.mktemp("server")) as made:
        yield made


async def test_the_check_is_made_whenever_an_application_is_made(server: Serving) -> None:
    nobodys = dataclasses.replace(ROUTES[0], caller="nobody")
    with pytest.raises(InternalError):
        make_application(server.services, version="0", routes=[nobodys])


def _path(route: Route) -> str:
    path = route.shown_path.replace("{run}", "999")
    return re.sub(r"{(\w+)}", "1", path)


async def test_each_token_may_call_what_its_scope_says_and_nothing_else(server: Serving) -> None:
    secret = await server.services.control.tokens.create("gone", "admin", by=None)
    record = await server.services.control.tokens.check(secret)
    await server.services.control.tokens.revoke(record.digest, by=None)
    tokens = {**server.tokens, "revoked": secret, "unknown": "pawl_" + "0" * 64}
    wrong = []
    for route in ROUTES:
        for kind in KINDS:
            headers = {"Authorization": f"Bearer {tokens[kind]}"} if kind != "none" else {}
            answer = await server.ask(route.method, _path(route), by=None, headers=headers)
            # Webhooks are known by their signature: tests of them are test_server_webhooks.py.
            open_to_all = route.caller in {Caller.NONE, Caller.WEBHOOK}
            allowed = open_to_all or kind in SCOPES[route.caller]
            refusal = 403 if kind in SCOPES[Caller.READ] | {"worker"} else 401
            refused = answer.status in (401, 403)
            if refused == allowed or (not allowed and answer.status != refusal):
                wrong.append((route.name, kind, answer.status))
    assert wrong == []


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer pawl_",
        "Basic pawl_{}",
        "pawl_{}",
        "Bearer pawl_{} x",
        "Bearer  pawl_{}\x00",
        "Token pawl_{}",
    ],
)
async def test_only_one_form_of_the_header_counts(server: Serving, header: str) -> None:
    secret = server.tokens["admin"].removeprefix("pawl_")
    raw = header.format(secret).replace("\x00", "")
    for extra in ("", "?token=" + server.tokens["admin"]):
        value = raw if "\x00" not in header else raw + "0"
        answer = await server.ask("GET", "/api/runs" + extra, by=None, headers={"Authorization": value})
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_revoked_token_is_refused_soon_though_good_ones_are_remembered(server: Serving) -> None:
    made = (await server.ask("POST", "/api/tokens", json={"name": "x", "scope": "read"})).json
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert (await server.ask("GET", "/api/runs", by=None, headers=headers)).status == 200
    # Another server on the same database revokes it: this one is not told.
    record = await server.services.control.tokens.check(made["token"])
    await server.services.control.tokens.revoke(record.digest, by=None)
    async with asyncio.timeout(PATIENCE):
        while (await server.ask("GET", "/api/runs", by=None, headers=headers)).status != 401:  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.05)


async def test_a_token_revoked_here_is_refused_at_once(server: Serving) -> None:
    made = (await server.ask("POST", "/api/tokens", json={"name": "x", "scope": "read"})).json
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert (await server.ask("GET", "/api/runs", by=None, headers=headers)).status == 200
    assert (await server.ask("DELETE", f"/api/tokens/{made['id']}")).status == 200
    assert (await server.ask("GET", "/api/runs", by=None, headers=headers)).status == 401


async def test_a_token_is_good_for_as_many_days_as_were_asked_for(server: Serving) -> None:
    body = {"name": "two days", "scope": "read", "days": 2}
    before = server.services.clock.now()
    made = (await server.ask("POST", "/api/tokens", json=body)).json
    after = server.services.clock.now()
    assert before - 1 <= made["expires_at"] - 2 * 86_400 <= after + 1
    listed = (await server.ask("GET", "/api/tokens")).json["tokens"]
    assert [each["expires_at"] for each in listed if each["id"] == made["id"]] == [made["expires_at"]]
    assert (await server.ask("POST", "/api/tokens", json={**body, "days": -1})).status == 400


async def test_secrets_of_tokens_are_never_listed(server: Serving) -> None:
    answer = await server.ask("GET", "/api/tokens")
    assert {row["scope"] for row in answer.json["tokens"]} >= {"read", "user", "admin", "worker"}
    assert all(secret.encode() not in answer.body for secret in server.tokens.values())


async def test_another_workers_name_or_lease_authorises_nothing(server: Serving) -> None:
    """R1: neither the header, nor the query, nor the body makes one worker another."""
    link, lease = await server.begun("w1")
    other_token = await server.services.control.tokens.create("other", "worker", by=None)
    other = await server.worker("w2", token=other_token)
    thief = await server.worker("w1", token=other_token)  # the same name, another token
    for who in (other, thief):
        for call in (
            who.begin(lease),
            tell(who, lease, 0, []),
            append_log(who, lease, 0, "data", 0, b"x\n"),
        ):
            with pytest.raises(StaleLease):
                await call
        (renewal,) = await who.renew([lease], health="", draining=False)
        assert not renewal.alive
    (mine,) = await link.renew([lease], health="", draining=False)
    assert mine.alive
    headers = {"Authorization": f"Bearer {other_token}", WORKER_HEADER: "w1", "X-Worker-Id": "w1"}
    asked = ReportRequest(lease=lease, report=head_of(NOTHING))
    body = framed(write_message(asked), NOTHING)
    answer = await server.ask("POST", "/worker/v1/report?worker=w1", by=None, headers=headers, data=body)
    assert (answer.status, answer.json["type"]) == (409, "/problems/stale-lease")


async def test_only_the_owner_with_the_live_epoch_may_write(server: Serving) -> None:
    """R2."""
    link, lease = await server.begun("w9")
    for stale in (
        moved(lease, epoch=lease.epoch + 1),
        moved(lease, epoch=0),
        moved(lease, attempt=2),
        moved(lease, job="other"),
        moved(lease, run=7777),
    ):
        for call in (
            link.begin(stale),
            tell(link, stale, 0, []),
            append_log(link, stale, 0, "data", 0, b"x"),
        ):
            with pytest.raises(StaleLease):
                await call


async def test_the_openapi_document_has_every_route(server: Serving) -> None:
    told = (await server.ask("GET", "/api/openapi.json", by=None)).json
    assert told["openapi"].startswith("3.1")
    named = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
    assert named == {(route.method, route.shown_path) for route in ROUTES}
    assert all(route.body is not Body.NONE for route in ROUTES if route.example is not None)


async def test_workers_are_listed_with_what_they_run(server: Serving) -> None:
    _, lease = await server.begun("busy")
    await server.worker("idle")
    listed = (await server.ask("GET", "/api/workers", by="read")).json["workers"]
    busy, idle = (next(each for each in listed if each["name"] == name) for name in ("busy", "idle"))
    assert (busy["slots"], busy["busy"]) == (4, 1)
    (running,) = busy["running"]
    assert (running["run"], running["job"], running["attempt"]) == (lease.ref.run, "build", 1)
    assert (running["name"], running["state"], running["repository"]) == ("build", "running", "a/b")
    assert (idle["busy"], idle["running"]) == (0, [])
    assert "token" not in busy
