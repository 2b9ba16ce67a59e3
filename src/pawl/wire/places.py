"""Where bytes belong that come as the body of a request: written in its query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pawl.core.model.errors import UsageError
from pawl.core.model.ids import Epoch, JobId, RunId
from pawl.core.model.records import AttemptRef
from pawl.core.model.work import Lease

_MOST = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobPlace:
    """A file of an artifact: its SHA-256 in hex and its bytes.

    Attributes:
        ask: the request has no body and only asks whether the server has the blob already.
    """

    lease: Lease
    digest: str
    size: int
    ask: bool = False

    def query(self) -> dict[str, str]:
        """Return it as the query of a request."""
        asked = {"ask": "1"} if self.ask else {}
        return {**_lease_query(self.lease), "digest": self.digest, "size": str(self.size), **asked}

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> BlobPlace:
        """Return what `query` wrote; further words are left out.

        Raises:
            UsageError: it is not such a query.
        """
        digest = query.get("digest", "")
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise UsageError("`digest` of the query is not a SHA-256 in hex")
        return cls(
            lease=_lease(query),
            digest=digest,
            size=_number(query, "size"),
            ask=query.get("ask") == "1",
        )


def _lease_query(lease: Lease) -> dict[str, str]:
    ref = lease.ref
    return {
        "run": str(ref.run),
        "job": ref.job,
        "attempt": str(ref.attempt),
        "epoch": str(lease.epoch),
    }


def _lease(query: Mapping[str, str]) -> Lease:
    if not query.get("job"):
        raise UsageError("the query lacks `job`")
    ref = AttemptRef(
        run=RunId(_number(query, "run")),
        job=JobId(query["job"]),
        attempt=_number(query, "attempt"),
    )
    return Lease(ref=ref, epoch=Epoch(_number(query, "epoch")), seconds=0)


def _number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) < _MOST):
        raise UsageError(f"`{name}` of the query is not a number from 0 on")
    return int(text)
