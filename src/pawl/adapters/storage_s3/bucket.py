"""A bucket, or a part of one, by its URL; and the errors of those who keep it in our words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from pawl.core.model.errors import Unavailable, UsageError

if TYPE_CHECKING:
    from obstore.store import S3Config  # is there for type checkers only

_OPTIONS = {"endpoint", "region"}
_REASON = re.compile(r"<Code>(\w{1,100})</Code>|Server returned non-2xx status code: (\d{3})")
_CHECK = "check"


def open_bucket(url: str) -> S3Store:
    """Return the store at `s3://bucket/prefix?endpoint=...&region=...`; nothing is asked of it yet.

    Raises:
        UsageError: it is no such URL.
    """
    parts = urlsplit(url)
    options = parse_qs(parts.query, keep_blank_values=True)
    if parts.scheme != "s3" or not parts.netloc or "@" in parts.netloc or set(options) - _OPTIONS:
        raise UsageError(
            f"`{parts._replace(netloc=parts.netloc.rpartition('@')[2]).geturl()}` is no URL of a bucket",
            hint="write s3://bucket/prefix?endpoint=https://...&region=..., credentials into the environment",
        )
    endpoint = options.get("endpoint", [os.environ.get("AWS_ENDPOINT_URL", "")])[0]
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    config: S3Config = {"region": options.get("region", [region])[0]}
    if endpoint:
        config["endpoint"] = endpoint
    try:
        return S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            config=config,
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=10),
                "timeout": timedelta(seconds=300),
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
        )
    except (BaseError, ValueError) as error:
        raise UsageError(f"The bucket {parts.netloc} cannot be used: {_in_words(error)}") from error


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Let failures of the storage be raised as `Unavailable`; that something is not there goes through.

    Args:
        what: is asked for, such as "keep a blob".
    """
    try:
        yield
    except (BaseError, ValueError) as error:
        raise Unavailable(
            f"The bucket cannot {what}: {_in_words(error)}",
            hint="look after the storage, its address and the credentials",
            retry_after=10.0,
        ) from error


async def check_bucket(bucket: S3Store) -> None:
    """Return when something can be stored.

    Raises:
        Unavailable: it cannot.
    """
    with asking("keep anything"):
        try:
            await obstore.put_async(bucket, _CHECK, b"There is room.\n", use_multipart=False)
        except FileNotFoundError as error:
            raise Unavailable("There is no such bucket", hint="make it first", retry_after=10.0) from error


def _in_words(error: Exception) -> str:
    """Return the storage's own reason: its messages hold whole requests."""
    found = _REASON.search(str(error))
    if found:
        return found[1] or f"it answered {found[2]}"
    return str(error).split("\n", 1)[0][:300]
