"""What `ref_fault` takes, git takes: it is the last look at a name that an outsider chose."""

from __future__ import annotations

import subprocess

import pytest

from pawl.core.model.refs import ref_fault
from tests.unit.core.test_refs import BAD, GOOD


def _git_takes(name: str) -> bool:
    told = ["git", "check-ref-format", f"refs/heads/{name}"]
    return subprocess.run(told, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("name", GOOD)
def test_git_takes_what_is_taken(name: str) -> None:
    assert ref_fault(name) == ""
    assert _git_takes(name)


STRICTER = {"@", "-a", "a/-b", "--upload-pack=id", "x" * 1001}
"""What git would take below `refs/heads/`, and we do not."""


@pytest.mark.parametrize("name", [name for name in BAD if "\0" not in name and name.isprintable()])
def test_git_does_not_take_what_is_not_taken_but_for_what_is_named(name: str) -> None:
    assert ref_fault(name)
    assert _git_takes(name) == (name in STRICTER)
