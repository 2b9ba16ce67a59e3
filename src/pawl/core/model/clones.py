"""Where the files of a forge's run come from. Plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Clone:
    """How a worker has the files of a run that a forge's event made.

    Attributes:
        url: what git may fetch from; "" where the worker has to ask the server for the files.
        user, secret: of HTTP basic authentication, for fetching; "" for a repository that anybody can read.
        shared: whether the job itself may hold the secret (`persist-credentials: true`), and not only what
            fetches for it.
    """

    url: str = ""
    user: str = ""
    secret: str = field(default="", repr=False)
    shared: bool = False
