"""Logs and blobs in a bucket of anything that speaks S3. Needs the extra `s3`."""

from __future__ import annotations

from pawl.core.model.errors import UsageError
from pawl.ports.blobs import Blobs
from pawl.ports.log_bytes import LogBytes

__all__ = ["s3_blobs", "s3_log_bytes"]


def s3_blobs(url: str) -> Blobs:
    """Return the blobs kept at `s3://bucket/prefix?endpoint=...&region=...`.

    Credentials come from the environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`,
    or what a cloud gives its machines.

    Raises:
        UsageError: it is no such URL, or the extra is not installed.
    """
    try:
        from pawl.adapters.storage_s3.blobs import S3Blobs  # noqa: PLC0415 - an optional dependency
    except ModuleNotFoundError as error:
        raise _not_installed() from error
    return S3Blobs(url)


def s3_log_bytes(url: str) -> LogBytes:
    """Return the logs kept at such a URL, as `s3_blobs` does with blobs.

    Raises:
        UsageError: it is no such URL, or the extra is not installed.
    """
    try:
        from pawl.adapters.storage_s3.logs import S3LogBytes  # noqa: PLC0415 - an optional dependency
    except ModuleNotFoundError as error:
        raise _not_installed() from error
    return S3LogBytes(url)


def _not_installed() -> UsageError:
    return UsageError("Storage in a bucket needs a package more", hint="pip install 'pawl-ci[s3]'")
