"""What every `Forge` promises of webhooks (ports/forge.py), asked of each adapter with its samples."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from pawl.adapters.forge_bitbucket import BitbucketForge
from pawl.adapters.forge_generic import GenericForge
from pawl.adapters.forge_gitea import GiteaForge
from pawl.adapters.forge_github import GitHubForge
from pawl.adapters.forge_gitlab import GitLabForge
from pawl.core.model.errors import Denied, UnsupportedBody, UsageError
from pawl.core.model.forge import ForgeKind, Received
from pawl.core.workflow.event_facts import EVENTS
from pawl.ports.forge import Forge
from pawl.ports.outgoing import Answered, Outgoing
from pawl.testing.clock import FakeClock
from tests.webhooks import NOW, SAMPLES, SECRET, Sample, signed
from tests.webhooks.sample import signature

BY_ID = [pytest.param(sample, id=sample.id) for sample in SAMPLES]
ONE_EACH = [next(s for s in SAMPLES if s.forge is kind and s.events) for kind in ForgeKind]
EACH_FORGE = [pytest.param(sample, id=sample.forge.value) for sample in ONE_EACH]


class NoSender:
    """Reading a webhook calls nobody."""

    async def send(self, request: Outgoing) -> Answered:
        raise AssertionError(request)


def forge_of(kind: ForgeKind) -> Forge:
    sender, clock = NoSender(), FakeClock()
    forges: dict[ForgeKind, Forge] = {
        ForgeKind.GITHUB: GitHubForge(sender, clock),
        ForgeKind.GITLAB: GitLabForge(sender, clock),
        ForgeKind.GITEA: GiteaForge(sender, clock),
        ForgeKind.BITBUCKET: BitbucketForge(sender, clock),
        ForgeKind.GENERIC: GenericForge(),
    }
    return forges[kind]


def read(received: Received, kind: ForgeKind) -> Any:
    return forge_of(kind).read(received)


def test_every_forge_has_an_adapter_that_says_which_it_is() -> None:
    assert [forge_of(kind).kind for kind in ForgeKind] == list(ForgeKind)


@pytest.mark.parametrize("sample", BY_ID)
def test_a_webhook_is_read_as_what_happened(sample: Sample) -> None:
    hook = read(sample.received(), sample.forge)
    found = [
        {name: getattr(event, name) for name in wanted}
        for event, wanted in zip(hook.events, sample.events, strict=True)
    ]
    assert found == list(sample.events)
    assert hook.ignored == sample.ignored
    assert bool(hook.events) != bool(hook.ignored)
    assert hook.name == sample.name


@pytest.mark.parametrize("sample", BY_ID)
def test_an_event_is_one_that_workflows_may_listen_to_and_says_whence(sample: Sample) -> None:
    hook = read(sample.received(), sample.forge)
    for event in hook.events:
        assert event.name in EVENTS
        assert event.provider == sample.forge.value
        assert event.repository == hook.repository
        assert json.loads(json.dumps(dict(event.payload))) == dict(event.payload)


@pytest.mark.parametrize("sample", BY_ID)
def test_the_repository_is_found_without_a_signature(sample: Sample) -> None:
    received = sample.received()
    bare = Received(
        headers={"content-type": received.headers["content-type"]},
        body=received.body,
    )
    assert forge_of(sample.forge).repository(bare) == read(received, sample.forge).repository


@pytest.mark.parametrize("sample", BY_ID)
def test_a_webhook_that_was_signed_with_the_secret_is_taken(sample: Sample) -> None:
    forge_of(sample.forge).verify(sample.received(), SECRET, NOW)


@pytest.mark.parametrize("sample", EACH_FORGE)
def test_a_webhook_that_was_signed_with_another_secret_is_refused(sample: Sample) -> None:
    with pytest.raises(Denied) as caught:
        forge_of(sample.forge).verify(sample.received(), "another secret", NOW)
    assert SECRET not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("sample", EACH_FORGE)
def test_a_webhook_without_a_signature_is_refused_and_says_which(sample: Sample) -> None:
    received = sample.received()
    for name in signature(sample.forge, b""):
        for value in (None, ""):
            headers = {key: text for key, text in received.headers.items() if key != name}
            if value is not None:
                headers[name] = value
            if sample.forge is ForgeKind.GITEA and name == "x-hub-signature-256":
                continue  # not the one that is looked at
            with pytest.raises(Denied, match=name):
                forge_of(sample.forge).verify(replace(received, headers=headers), SECRET, NOW)


SIGNED = [each for each in EACH_FORGE if each.id != "gitlab"]


@pytest.mark.parametrize("sample", SIGNED)
@pytest.mark.parametrize("change", [b" ", b"\n", b"\0"])
def test_a_body_that_was_changed_on_the_way_is_refused(sample: Sample, change: bytes) -> None:
    received = sample.received()
    with pytest.raises(Denied):
        forge_of(sample.forge).verify(replace(received, body=received.body + change), SECRET, NOW)
    with pytest.raises(Denied):
        forge_of(sample.forge).verify(replace(received, body=received.body[:-1]), SECRET, NOW)


@pytest.mark.parametrize("sample", SIGNED)
@pytest.mark.parametrize(
    "told", ["x", "sha256=", "sha256=zz", "sha1=" + "0" * 40, "t=,v1=", "\udcff", "é" * 64]
)
def test_a_signature_that_is_none_is_refused(sample: Sample, told: str) -> None:
    received = sample.received()
    names = signature(sample.forge, b"")
    with pytest.raises(Denied):
        forge_of(sample.forge).verify(
            replace(received, headers={**received.headers, **dict.fromkeys(names, told)}), SECRET, NOW
        )


@pytest.mark.parametrize("sample", EACH_FORGE)
@pytest.mark.parametrize("cut", [0, 1, 0.5, -1])
def test_a_body_that_was_cut_off_is_no_webhook(sample: Sample, cut: float) -> None:
    body = sample.received().body
    part = body[: int(len(body) * cut)] if isinstance(cut, float) else body[:cut]
    received = signed(sample.forge, sample.name, part)
    for ask in (forge_of(sample.forge).read, forge_of(sample.forge).repository):
        with pytest.raises(UsageError, match="JSON"):
            ask(received)


@pytest.mark.parametrize("sample", EACH_FORGE)
@pytest.mark.parametrize("kind", ["", "text/plain", "application/xml", "multipart/form-data; boundary=x"])
def test_a_body_of_another_type_is_not_read(sample: Sample, kind: str) -> None:
    received = sample.received()
    with pytest.raises(UnsupportedBody, match="content type"):
        forge_of(sample.forge).read(replace(received, headers={**received.headers, "content-type": kind}))


@pytest.mark.parametrize(
    "body", [b"[]", b'"x"', b"null", b"{", b"\xff", b'{"a":NaN}', b"[" * 100 + b"]" * 100]
)
@pytest.mark.parametrize("sample", EACH_FORGE)
def test_a_body_that_is_no_object_is_not_read(sample: Sample, body: bytes) -> None:
    with pytest.raises(UsageError):
        forge_of(sample.forge).read(signed(sample.forge, sample.name, body))


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "\\udc00x"])
@pytest.mark.parametrize("sample", EACH_FORGE)
def test_a_text_that_no_database_takes_is_refused(sample: Sample, text: str) -> None:
    body = json.dumps({**sample.body, "more": "here"}).replace('"here"', f'"{text}"').encode()
    with pytest.raises(UsageError, match=r"U\+"):
        forge_of(sample.forge).read(signed(sample.forge, sample.name, body))


@pytest.mark.parametrize("kind", [ForgeKind.GITHUB, ForgeKind.GITEA])
def test_a_form_with_the_body_in_it_is_read_as_the_body(kind: ForgeKind) -> None:
    sample = next(each for each in ONE_EACH if each.forge is kind)
    plain = sample.received()
    form = urlencode({"payload": plain.body.decode()}).encode()
    sent = signed(kind, sample.name, form, headers={"content-type": "application/x-www-form-urlencoded"})
    forge_of(kind).verify(sent, SECRET, NOW)
    assert read(sent, kind) == read(plain, kind)


@pytest.mark.parametrize(
    "form", [b"", b"payload", b"x=1", b"payload={}&payload={}", b"payload=%ff", b"\xff=1"]
)
def test_a_form_without_one_body_in_it_is_refused(form: bytes) -> None:
    sent = signed(
        ForgeKind.GITHUB, "push", form, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    with pytest.raises(UsageError):
        read(sent, ForgeKind.GITHUB)


HOSTILE = [
    "--upload-pack=touch /tmp/x",
    "-x",
    "a/-x",
    "a\nb",
    "a\0b",
    "a b",
    "a..b",
    "a~1",
    "a^{}",
    "a:b",
    "a\\b",
    "a*",
    "a[b",
    "a?",
    "a@{1}",
    ".a",
    "a/.b",
    "a.lock",
    "a/",
    "/a",
    "a//b",
    "a.",
    "",
    "x" * 1001,
    "\x7f",
]
REF_OF = {
    ForgeKind.GITHUB: ("ref",),
    ForgeKind.GITLAB: ("ref",),
    ForgeKind.GITEA: ("ref",),
    ForgeKind.BITBUCKET: ("push", "changes", 0, "new", "name"),
    ForgeKind.GENERIC: ("ref",),
}


def changed(body: dict[str, Any], path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    copied: Any = copy.deepcopy(body)
    at = copied
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    assert isinstance(copied, dict)
    return copied


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("sample", EACH_FORGE)
def test_a_ref_that_git_would_not_have_is_refused_by_its_place(sample: Sample, name: str) -> None:
    path = REF_OF[sample.forge]
    full = name if path[-1] == "name" else f"refs/heads/{name}"
    body = changed(sample.body, path, full)
    with pytest.raises(UsageError) as caught:
        forge_of(sample.forge).read(signed(sample.forge, sample.name, body))
    if "\0" not in name:
        assert str(path[-1]) in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "name", ["../../etc", "a", "-x/y", "a/-y", "a/b\n", "a//b", "a/b?x", "ext::sh -c x/y", "é/b"]
)
@pytest.mark.parametrize("sample", EACH_FORGE)
def test_a_repository_that_is_no_name_is_refused(sample: Sample, name: str) -> None:
    path: dict[ForgeKind, tuple[str | int, ...]] = {
        ForgeKind.GITLAB: ("project", "path_with_namespace"),
        ForgeKind.GENERIC: ("repository",),
    }
    body = changed(sample.body, path.get(sample.forge, ("repository", "full_name")), name)
    for ask in (forge_of(sample.forge).read, forge_of(sample.forge).repository):
        with pytest.raises(UsageError, match=r"has the part|form owner/name|characters"):
            ask(signed(sample.forge, sample.name, body))


@pytest.mark.parametrize("sample", EACH_FORGE)
def test_a_delivery_keeps_its_id_and_one_that_is_no_word_is_refused(sample: Sample) -> None:
    first = signed(sample.forge, sample.name, sample.body, delivery="one-1")
    again = signed(sample.forge, sample.name, sample.body, delivery="one-1", now=NOW + 60)
    assert read(first, sample.forge).delivery == read(again, sample.forge).delivery == "one-1"
    for bad in ("../x", "a b", "a\nb", "x" * 201, "é"):
        with pytest.raises(UsageError, match="delivery"):
            read(signed(sample.forge, sample.name, sample.body, delivery=bad), sample.forge)


@pytest.mark.parametrize("sample", EACH_FORGE)
def test_a_delivery_without_an_id_is_told_by_its_body(sample: Sample) -> None:
    one = read(signed(sample.forge, sample.name, sample.body, delivery=""), sample.forge)
    same = read(signed(sample.forge, sample.name, sample.body, delivery=""), sample.forge)
    other = read(signed(sample.forge, sample.name, {**sample.body, "payload": {}}, delivery=""), sample.forge)
    assert one.delivery == same.delivery != other.delivery


def _places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    children: Any = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield (*path, key)
        yield from _places(child, (*path, key))


@pytest.mark.parametrize("sample", BY_ID)
def test_no_member_of_another_type_is_more_than_a_refusal(sample: Sample) -> None:
    """Whatever stands in any place, it is read or refused with the place's name; nothing else is raised."""
    forge = forge_of(sample.forge)
    refused = 0
    for path in _places(sample.body):
        for value in (None, 5, -1.5, True, "x", [], {}, [1], {"x": 1}):
            try:
                forge.read(signed(sample.forge, sample.name, changed(sample.body, path, value)))
            except UsageError:
                refused += 1
    assert refused > 0 or not sample.events
