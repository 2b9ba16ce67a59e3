"""Every webhook of every forge over HTTP: good ones are kept once, all others change nothing."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from pawl.core.model.forge import ForgeKind, Received
from pawl.server.routes import Body
from tests.contract.test_forge import HOSTILE, REF_OF, changed
from tests.integration.serving import Answer, Serving, serving
from tests.webhooks import SAMPLES, SECRET, Sample, signed

NAME = "acme/app"


@dataclass
class Case:
    kind: ForgeKind
    server: Serving

    @property
    def samples(self) -> list[Sample]:
        elsewhere = {"push-in-a-subgroup"}
        return [each for each in SAMPLES if each.forge is self.kind and each.title not in elsewhere]

    @property
    def one(self) -> Sample:
        return next(each for each in self.samples if each.events)

    def sign(self, sample: Sample, body: dict[str, Any] | bytes | None = None, **more: Any) -> Received:
        given = sample.body if body is None else body
        found = signed(
            self.kind,
            sample.name,
            given,
            **{"now": time.time(), "delivery": re.sub(r"\W", "-", sample.id), **more},
        )
        return Received(headers={**found.headers, **sample.headers}, body=found.body)

    async def send(self, received: Received, path: str = f"/{NAME}", **headers: str) -> Answer:
        sent = {**received.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.server.ask(
            "POST", f"/webhooks/{self.kind.value}{path}", by=None, data=BytesIO(received.body), headers=sent
        )

    async def kept(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = (await self.server.ask("GET", "/api/deliveries?limit=200")).json[
            "deliveries"
        ]
        return told


@pytest.fixture(params=list(ForgeKind), ids=lambda kind: kind.value)
async def case(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Case]:
    async def no_process(*told: Any, **_: Any) -> Any:
        raise AssertionError(f"a process was started: {told}")

    async with serving(tmp_path) as server:
        project = {
            "name": NAME,
            "forge": request.param.value,
            "clone_url": "http://127.0.0.1:1/acme/app.git",
            "secrets": {"hook": SECRET},
        }
        made = await server.ask("POST", "/api/projects", json=project)
        assert made.status == 201, made.body
        monkeypatch.setattr(asyncio, "create_subprocess_exec", no_process)
        yield Case(request.param, server)


async def test_each_is_kept_once_and_told_to_be_known_after(case: Case) -> None:
    for sample in case.samples:
        received = case.sign(sample)
        first = await case.send(received)
        assert (first.status, first.json["ignored"]) == (200 if sample.ignored else 202, sample.ignored), (
            sample.id
        )
        again = await case.send(received)
        assert (again.status, again.json["duplicate"]) == (200, True), sample.id
        assert again.json["delivery"] == first.json["delivery"]
    kept = await case.kept()
    assert len(kept) == len(case.samples)
    assert {each["project"] for each in kept} == {NAME}


async def test_each_reaches_its_project_by_the_name_in_its_body(case: Case) -> None:
    for sample in case.samples:
        received = case.sign(sample)
        names_it = case.kind is ForgeKind.GENERIC or {"repository", "project"} & set(sample.body)
        answer = await case.send(received, "")
        assert answer.status == ((200 if sample.ignored else 202) if names_it else 401), sample.id


async def test_two_at_once_are_one(case: Case) -> None:
    received = case.sign(case.one, delivery="d-1")
    answers = await asyncio.gather(*(case.send(received) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [200] * 7 + [202]
    assert len(await case.kept()) == 1


async def test_without_the_secret_nothing_is_kept_and_all_are_answered_alike(case: Case) -> None:
    good = case.sign(case.one, delivery="d-1")
    answers = []
    for sample in case.samples:
        forged = case.sign(sample, secret="another secret, long enough", delivery="d-1")
        answers += [await case.send(forged), await case.send(forged, "/acme/none")]
    bare = {
        name: text for name, text in good.headers.items() if "signature" not in name and "token" not in name
    }
    answers.append(await case.send(Received(headers=bare, body=good.body)))
    if case.kind is not ForgeKind.GITLAB:
        answers.append(await case.send(replace(good, body=good.body + b" ")))
    assert {answer.status for answer in answers} == {401}
    assert len({answer.body for answer in answers}) == 1
    assert await case.kept() == []


async def test_what_was_signed_but_cannot_be_read_is_refused_and_not_kept(case: Case) -> None:
    whole = case.sign(case.one, delivery="d-1").body
    for body in (whole[:-1], b"", b"[]", b"\xff", b"[" * 1000, whole.replace(b'"', b"'")):
        for path in (f"/{NAME}", ""):
            answer = await case.send(case.sign(case.one, body, delivery="d-1"), path)
            assert answer.status == 400, body[:50]
    text = await case.send(case.sign(case.one, delivery="d-1"), content_type="text/plain")
    assert text.status == 415
    large = whole[:-1] + b" " * Body.WEBHOOK.value + b"}"
    assert (await case.send(case.sign(case.one, large, delivery="d-1"))).status == 413
    assert await case.kept() == []


async def test_a_hostile_ref_is_refused_and_reaches_no_process(case: Case) -> None:
    path = REF_OF[case.kind]
    for name in HOSTILE:
        told = name if path[-1] == "name" else f"refs/heads/{name}"
        body = changed(case.one.body, path, told)
        answer = await case.send(case.sign(case.one, body, delivery="d-1"))
        assert answer.status == 400, name
    assert await case.kept() == []


async def test_urls_of_a_body_are_kept_but_mean_nothing(case: Case) -> None:
    """A clone URL of the body is data: the project's own is what git is given."""
    hostile = "ext::sh -c 'touch /tmp/pwned'"
    body = dict(case.one.body)
    for member in ("repository", "project"):
        if isinstance(body.get(member), dict):
            urls = (
                "clone_url",
                "git_url",
                "ssh_url",
                "git_http_url",
                "git_ssh_url",
                "url",
                "html_url",
                "web_url",
            )
            body[member] = {**body[member], **dict.fromkeys(urls, hostile)}
    assert (await case.send(case.sign(case.one, body, delivery="d-1"))).status == 202
    project = (await case.server.ask("GET", f"/api/projects/{NAME}")).json
    assert project["clone_url"] == "http://127.0.0.1:1/acme/app.git"


async def test_nothing_secret_is_logged_or_shown(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    received = case.sign(case.one, delivery="d-1")
    await case.send(received)
    await case.send(case.sign(case.one, secret="another secret, long enough", delivery="d-2"))
    (kept,) = await case.kept()
    shown = await case.server.ask("GET", f"/api/deliveries/{kept['id']}")
    said = caplog.text + "".join(str(vars(record)) for record in caplog.records) + shown.body.decode()
    assert "webhook" in said
    hidden = [text for name, text in received.headers.items() if "signature" in name or "token" in name]
    assert hidden
    assert [text for text in (SECRET, "another secret, long enough", *hidden) if text in said] == []
