"""What the pages say of webhooks and statuses is what the adapters do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pawl.adapters.forge_bitbucket import statuses as bitbucket
from pawl.adapters.forge_generic.reading import _OF_ALL, _OF_EVENT
from pawl.adapters.forge_gitea import statuses as gitea
from pawl.adapters.forge_github import checks, statuses
from pawl.adapters.forge_gitlab import statuses as gitlab
from pawl.core.forges.signing import SIGNATURE_WINDOW
from pawl.core.model.forge import CommitState, ForgeKind
from pawl.core.triggers.skip import SKIP_MARKS

DOCS = Path(__file__).resolve().parents[2] / "docs"
WEBHOOKS = (DOCS / "reference/webhooks.md").read_text("utf-8")
STATUSES = (DOCS / "explanation/commit-statuses.md").read_text("utf-8")


def _row(page: str, first: str) -> list[str]:
    found = re.search(rf"^\| (?:`{first}`|{first}) \| ?(.*?)\|$", page, re.MULTILINE)
    assert found is not None, first
    return [cell.strip() for cell in found[1].split(" | ")]


@pytest.mark.parametrize("state", CommitState)
def test_the_words_of_a_state_are_told(state: CommitState) -> None:
    check = checks._STATUSES.get(state) or checks._CONCLUSIONS[state]
    words = [statuses._STATES, gitlab._STATES, gitea._STATES, bitbucket._STATES]
    said = [each[state] for each in words]
    assert _row(STATUSES, state.value) == [f"`{word}`" for word in (said[0], check, *said[1:])]


@pytest.mark.parametrize("event", ["all", *_OF_EVENT])
def test_the_members_of_the_generic_hook_are_told(event: str) -> None:
    section = WEBHOOKS.partition("The body is one JSON object")[2]
    told = re.findall(r"`([a-z_]+)`", re.sub(r"\([^)]*\)", "", _row(section, event)[0]))
    assert sorted(told) == sorted(_OF_ALL if event == "all" else _OF_EVENT[event])


def test_every_provider_and_every_mark_that_skips_is_told() -> None:
    assert [kind for kind in ForgeKind if f"| `{kind.value}` |" not in WEBHOOKS] == []
    assert [mark for mark in SKIP_MARKS if f"`{mark}`" not in WEBHOOKS] == []
    assert WEBHOOKS.count(f"within {SIGNATURE_WINDOW:.0f} seconds") == 2
