"""What `pawl doctor` says of sandboxes whose owner cannot be judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from pawl.adapters.executor_fake import FakeExecutor, FakeMachine
from pawl.adapters.runs_folder import owner_token
from pawl.cli.checkup import Mark
from pawl.cli.commands.doctor import _check_strangers
from pawl.ports.executor import ImageRef, SandboxSpec


@pytest.mark.parametrize(("owner", "told"), [("somebody else", True), (owner_token(), False)])
async def test_what_has_an_unknown_owner_is_told_and_left_alone(
    tmp_path: Path, owner: str, told: bool
) -> None:
    machine = FakeMachine()
    executor = FakeExecutor(machine=machine)
    for sub in ("temp", "files", "actions", "workspace"):
        (tmp_path / sub).mkdir()
    spec = SandboxSpec(name="odd", owner=owner, folder=tmp_path, image=ImageRef(name="any"))
    sandbox = await executor.open(spec, lambda _: None)
    checks = await _check_strangers(executor, "containers")
    assert [(check.mark, "odd" in check.found) for check in checks] == ([(Mark.WARN, True)] if told else [])
    assert list(machine.sandboxes) == ["odd"]
    await sandbox.close()
