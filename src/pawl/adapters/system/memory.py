"""How the C library hands out memory to a process of many threads."""

from __future__ import annotations

import contextlib
import ctypes

_ARENA_MAX = -8
"""`M_ARENA_MAX` of mallopt(3)."""

_ARENAS = 2


def share_arenas() -> None:
    """Have threads share two arenas of memory instead of eight for each processor.

    With an arena for nearly every thread, memory that one has given back helps no other: 5 MB of an idle
    server. Does nothing where the C library is not glibc.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)
