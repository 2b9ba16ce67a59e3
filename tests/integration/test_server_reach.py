"""What `server.reach` allows, a server's forges may call, and nothing else inside."""

from __future__ import annotations

from pathlib import Path

import pytest

from pawl.core.model.errors import UsageError
from pawl.core.model.forge import CommitState, CommitStatus, ForgeAccess, ForgeKind
from pawl.server.outside import Reached
from pawl.server.settings import ServerSettings
from pawl.testing.clock import FakeClock
from tests.forge_server import forge_server

STATUS = CommitStatus(sha="a" * 40, context="pawl/ci", state=CommitState.SUCCESS)


def reached(folder: Path, *reach: str) -> Reached:
    return Reached(ServerSettings(data=str(folder), reach=reach), FakeClock())


async def test_a_forge_inside_is_told_only_where_it_is_allowed(tmp_path: Path) -> None:
    async with forge_server() as inside:
        access = ForgeAccess(repository="acme/app", api_url=inside.url, token="t")
        for reach, told in (((), 0), (("10.0.0.0/8",), 0), (("127.0.0.0/8",), 1)):
            made = reached(tmp_path, *reach)
            reporting = made.outside.forges[ForgeKind.GITEA].report(access, STATUS)
            if told:
                await reporting
            else:
                with pytest.raises(UsageError, match="may not be called"):
                    await reporting
            await made.aclose()
            assert len(inside.asked) == told


def test_what_is_no_host_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a host nor a network"):
        reached(tmp_path, "http://git.lan/")
