"""The server's small parts: settings, tokens, log lines, ranges, bodies, waiting."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import logging
from typing import Any

import pytest

from pawl.core.model.errors import Denied, UsageError
from pawl.core.model.records import TokenRecord
from pawl.server.answers import Span
from pawl.server.authentication import Tokens
from pawl.server.log_lines import JsonLines, PlainLines, correlated, redact
from pawl.server.requests import Fields
from pawl.server.routes import Caller
from pawl.server.settings import SERVER_SETTINGS, ServerSettings, check_server_section, load_server_settings
from pawl.server.stopping import Stopping
from pawl.server.waking import Waking
from pawl.testing.clock import FakeClock

SECRET = "pawl_" + "ab" * 32


def test_options_go_before_variables_and_these_before_defaults() -> None:
    environment = {"PAWL_SERVER_PORT": "9000", "PAWL_SERVER_HOSTS": "a, b", "PAWL_DATA": "/x"}
    read = load_server_settings({"port": 1, "workers": None}, environment=environment)
    assert (read.port, read.hosts, read.data) == (1, ("a", "b"), "/x")
    assert load_server_settings({}, environment={}).port == ServerSettings().port == 8080


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PAWL_SERVER_PORT", "x"),
        ("PAWL_SERVER_PORT", "70000"),
        ("PAWL_SERVER_EXECUTOR", "magic"),
        ("PAWL_SERVER_SHUTDOWN_GRACE", "nan"),
        ("PAWL_SERVER_WORKERS", "-1"),
    ],
)
def test_a_variable_that_is_wrong_is_named(variable: str, value: str) -> None:
    with pytest.raises(UsageError, match=variable):
        load_server_settings({}, environment={variable: value})


@pytest.mark.parametrize("section", [{"prot": 1}, {"port": "1"}, {"hosts": "a"}, [], {"hosts": [1]}])
def test_a_section_that_is_wrong_is_told_with_its_place(section: Any) -> None:
    with pytest.raises(UsageError, match=r"pawl\.toml"):
        check_server_section(section, "pawl.toml")


def test_every_setting_is_a_field_and_reaches_the_rules() -> None:
    assert {rule.name for rule in SERVER_SETTINGS} | {"images"} == set(ServerSettings.__dataclass_fields__)
    rules = ServerSettings(rate_per_hour=5, keep_runs_days=1, keep_logs_days=0).rules("1")
    assert (rules.rate, rules.retention.runs, rules.retention.logs) == (5, 86_400, None)
    assert ServerSettings().rules("1").rate is None


def _record(scope: str) -> TokenRecord:
    return TokenRecord(
        digest=hashlib.sha256(SECRET.encode()).hexdigest(), name="x", scope=scope, created_at=0
    )


async def test_a_good_token_is_remembered_for_a_second_and_a_bad_one_never() -> None:
    asked: list[str] = []

    async def check(secret: str) -> TokenRecord:
        asked.append(secret)
        if len(asked) in (2, 3):
            raise Denied("revoked")
        return _record("read")

    clock = FakeClock()
    tokens = Tokens(check, clock)
    for _ in range(5):
        assert await tokens.admit(Caller.READ, f"Bearer {SECRET}")
    assert len(asked) == 1
    clock.advance(1.1)
    for _ in range(2):
        with pytest.raises(Denied):
            await tokens.admit(Caller.READ, f"Bearer {SECRET}")
    assert len(asked) == 3
    with pytest.raises(Denied) as refused:
        await tokens.admit(Caller.ADMIN, f"bearer {SECRET}")
    assert refused.value.known
    assert await tokens.admit(Caller.NONE, None) is None


@pytest.mark.parametrize(
    "text",
    [
        f"token {SECRET}",
        f"Authorization: Bearer {SECRET}",
        '{"authorization": "Basic c2VjcmV0"}',
        "postgresql://me:c2VjcmV0@host/db",
        "bearer c2VjcmV0",
    ],
)
def test_secrets_do_not_come_through_to_the_log(text: str) -> None:
    assert "abab" not in redact(text)
    assert "c2VjcmV0" not in redact(text)
    assert "***" in redact(text)


def test_a_line_of_the_log_is_one_json_object_with_its_correlation() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    record = logging.LogRecord("pawl", logging.INFO, "", 0, "said\nthis", None, None)
    record.fields = {"run": 1, "detail": f"x {SECRET}"}
    for formatter in (JsonLines(), PlainLines()):
        handler.setFormatter(formatter)
        with correlated("abc"):
            handler.emit(record)
    first, rest = stream.getvalue().split("\n", 1)
    told = json.loads(first)
    assert (told["event"], told["correlation"], told["run"], told["level"]) == (
        "said\nthis",
        "abc",
        1,
        "info",
    )
    assert "pawl_***" in rest
    assert SECRET not in first + rest


def test_bodies_are_read_field_by_field() -> None:
    fields = Fields({"a": "x", "n": 3, "f": True, "t": {"k": 1, "b": True}, "more": 1})
    assert (fields.text("a"), fields.number("n", 0, least=0, most=5), fields.flag("f")) == ("x", 3, True)
    assert fields.texts("t") == {"k": "1", "b": "true"}
    assert fields.list_of_texts("none") is None
    with pytest.raises(UsageError, match="more"):
        fields.done()
    for wrong in (
        lambda: Fields({"a": 1}).text("a"),
        lambda: Fields({"n": True}).number("n", 0, least=0, most=1),
    ):
        with pytest.raises(UsageError):
            wrong()


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, (0, 10, False)), ("bytes=2-3", (2, 4, True)), ("bytes=-3", (7, 10, True)), ("x", (0, 10, False))],
)
def test_a_range_is_half_open(header: str | None, expected: tuple[int, int, bool]) -> None:
    span = Span(header, 10)
    assert (span.start, span.end, span.partial) == expected


async def test_news_between_two_waits_is_not_missed() -> None:
    stopping = Stopping()
    waking = Waking(stopping)
    ear = waking.listen("a", "b")
    waking.tell(["a"])
    assert await ear.wait(60)
    waiting = asyncio.ensure_future(ear.wait(60))
    await asyncio.sleep(0)
    waking.tell(["c", "b"])
    assert await waiting
    stopping.begin()
    assert not await ear.wait(60)
    waking.forget(ear)
    waking.tell(["a"])
    assert waking.listening.total() == 0
