"""A bucket that is not there, not reached, or shared; and the URL that names it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import obstore
import pytest
from obstore.exceptions import GenericError, NotSupportedError

from pawl.adapters.storage_s3 import s3_blobs, s3_log_bytes
from pawl.core.model.errors import OffsetConflict, Unavailable, UsageError
from pawl.core.model.ids import JobId, RunId
from pawl.core.model.records import AttemptRef
from pawl.ports.log_bytes import LogName
from tests.s3 import CREDENTIALS, make_bucket, running_s3

LOG = LogName(attempt=AttemptRef(run=RunId(1), job=JobId("build"), attempt=1), index=0)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_s3() as endpoint:
        make_bucket(endpoint, "there")
        yield endpoint


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.mark.parametrize(
    "url",
    [
        "",
        "s3://",
        "https://bucket/prefix",
        "/folder",
        "s3://bucket?secret=x",
        "s3://key:word@bucket/prefix",
        "s3://bucket?endpoint=http://x&colour=red",
    ],
)
def test_what_is_no_url_of_a_bucket_is_refused_without_its_secrets(url: str) -> None:
    for make in (s3_blobs, s3_log_bytes):
        with pytest.raises(UsageError) as refusal:
            make(url)
        assert "word" not in refusal.value.message


async def test_a_bucket_that_is_missing_is_told(server: str) -> None:
    url = f"s3://missing?endpoint={server}"
    with pytest.raises(Unavailable, match="bucket"):
        await s3_blobs(url).check()
    with pytest.raises(Unavailable, match="bucket"):
        await s3_blobs(url).put(chunks(b"x"), limit=10)
    with pytest.raises(Unavailable, match="bucket"):
        await s3_log_bytes(url).append(LOG, "data", 0, b"x")


async def test_a_storage_that_does_not_answer_is_told() -> None:
    url = "s3://there?endpoint=http://127.0.0.1:1"
    with pytest.raises(Unavailable):
        await s3_log_bytes(url).append(LOG, "data", 0, b"x")
    with pytest.raises(Unavailable):
        await s3_blobs(url).facts("0" * 64)


async def test_two_servers_append_to_one_log(server: str) -> None:
    """Each has its own idea of the end; the bucket decides."""
    url = f"s3://there/two?endpoint={server}"
    first, second = s3_log_bytes(url), s3_log_bytes(url)
    assert await first.append(LOG, "data", 0, b"one ") == 4
    assert await second.append(LOG, "data", 4, b"two ") == 8
    assert await first.append(LOG, "data", 0, b"one two three ") == 14
    assert await second.append(LOG, "data", 8, b"three four") == 18
    with pytest.raises(OffsetConflict) as conflict:
        await first.append(LOG, "data", 14, b"five")
    assert conflict.value.size == 18
    assert await first.read(LOG, "data") == b"one two three four"


async def test_of_two_servers_at_one_place_one_wins(server: str) -> None:
    url = f"s3://there/race?endpoint={server}"
    servers = [s3_log_bytes(url) for _ in range(4)]
    results = await asyncio.gather(
        *(logs.append(LOG, "data", 0, b"%d" % number * 10) for number, logs in enumerate(servers)),
        return_exceptions=True,
    )
    assert results.count(10) == 1
    assert sum(isinstance(result, OffsetConflict) for result in results) == 3
    assert len({await logs.read(LOG, "data") for logs in servers}) == 1


async def test_prefixes_keep_apart(server: str) -> None:
    one, other = (s3_blobs(f"s3://there/{name}?endpoint={server}") for name in ("one", "other"))
    digest = (await one.put(chunks(b"x"), limit=10)).digest
    assert await other.facts(digest) is None
    assert [facts async for facts in other.all()] == []


async def test_a_storage_that_cannot_create_only_serves_one_server(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put: Callable[..., Any] = obstore.put_async

    async def older(*arguments: Any, mode: str = "overwrite", **options: Any) -> Any:
        if mode == "create":
            raise NotSupportedError("501 Not Implemented")
        return await put(*arguments, **options)

    monkeypatch.setattr(obstore, "put_async", older)
    logs = s3_log_bytes(f"s3://there/older?endpoint={server}")
    assert await logs.append(LOG, "data", 0, b"one ") == 4
    assert await logs.append(LOG, "data", 2, b"e two") == 7
    assert await logs.read(LOG, "data") == b"one two"


async def test_an_append_whose_answer_was_lost_is_found_again(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put: Callable[..., Any] = obstore.put_async

    async def loses_its_answer(*arguments: Any, **options: Any) -> Any:
        await put(*arguments, **options)
        raise GenericError("connection reset")

    logs = s3_log_bytes(f"s3://there/lost?endpoint={server}")
    with monkeypatch.context() as patch:
        patch.setattr(obstore, "put_async", loses_its_answer)
        with pytest.raises(Unavailable):
            await logs.append(LOG, "data", 0, b"one ")
    assert await logs.append(LOG, "data", 0, b"one two ") == 8
    assert await logs.read(LOG, "data") == b"one two "
