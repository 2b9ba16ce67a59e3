"""The engine's errors, told apart: what the workflow did wrong, what failed, and what may pass."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiodocker.exceptions import DockerError

from pawl.core.model.errors import InfrastructureError, TransientError, UsageError

UNREACHABLE = 900
"""The status aiodocker gives an error when the engine could not be connected to."""

JOIN_GROUP = (
    "its socket belongs to a group: join it (`sudo adduser $USER docker`, then log in again),"
    " or run with --executor host"
)
_DENIED = "Permission denied"
_INNERMOST = re.compile(r"\[([^\[\]]+)\]+$")
_START_ENGINE = "is the engine running? Set DOCKER_HOST, or run with --executor host"


@contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Turn errors of the client into ours.

    Args:
        doing: what was being done, as in "The container could not be <doing>"; begins a sentence.

    Raises:
        UsageError: the engine refused what the workflow asks for (statuses 400 and 404).
        TransientError: the engine could not be reached, or did not answer in time.
        InfrastructureError: anything else it said.
    """
    try:
        yield
    except DockerError as error:
        raise translate(error, doing) from error
    except TimeoutError as error:  # before OSError, of which it is one
        raise TransientError(
            f"{doing}: the container engine did not answer in time", hint=_START_ENGINE
        ) from error
    except (aiohttp.ClientError, OSError) as error:
        raise TransientError(
            f"{doing}: the container engine does not answer ({error})", hint=_START_ENGINE
        ) from error
    except json.JSONDecodeError as error:
        raise InfrastructureError(f"{doing}: what answers is no container engine") from error


def translate(error: DockerError, doing: str) -> InfrastructureError | UsageError:
    """Return our error for the engine's."""
    said = " ".join(error.message.split()) or f"status {error.status}"
    if error.status == UNREACHABLE:
        # The client wraps what the system said in brackets of its own.
        reason = _INNERMOST.search(said)
        said = reason[1] if reason else said
        return TransientError(f"{doing}: {said}", hint=JOIN_GROUP if said == _DENIED else _START_ENGINE)
    if error.status in (400, 404):
        return UsageError(f"{doing}: {said}")
    return InfrastructureError(f"{doing}: {said}")
