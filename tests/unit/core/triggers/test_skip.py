from __future__ import annotations

import pytest

from pawl.core.model.events import Event
from pawl.core.triggers.skip import SKIP_MARKS, skip_reason


def pushed(message: str, name: str = "push") -> Event:
    return Event(name=name, message=message)


@pytest.mark.parametrize("mark", SKIP_MARKS)
@pytest.mark.parametrize("name", ["push", "pull_request"])
def test_a_mark_anywhere_in_the_message_skips(mark: str, name: str) -> None:
    for message in (mark, f"Mend it {mark}", f"Mend\n\nlong {mark.upper()} text\n"):
        assert skip_reason(pushed(message, name)) == f"the commit's message says `{mark}`"


@pytest.mark.parametrize(
    "message", ["", "Mend", "skip ci", "[skip-ci]", "[skip  ci]", "(ci skip)", "[ skip ci ]"]
)
def test_another_message_does_not(message: str) -> None:
    assert skip_reason(pushed(message)) == ""


@pytest.mark.parametrize(
    "name", ["pull_request_target", "workflow_dispatch", "schedule", "create", "release", "merge_group"]
)
def test_other_events_are_not_skipped(name: str) -> None:
    assert skip_reason(pushed("[skip ci]", name)) == ""


@pytest.mark.parametrize("trailer", ["skip-checks: true", "skip-checks:true", "Skip-Checks: TRUE"])
@pytest.mark.parametrize(
    "before", ["Mend\n\n\n", "Mend\n\nBecause.\n\n\n", "Mend\n\n\nSigned-off-by: Ann\n", "Mend\r\n\r\n\r\n"]
)
def test_the_trailer_after_two_empty_lines_skips(trailer: str, before: str) -> None:
    assert skip_reason(pushed(f"{before}{trailer}\n")) == "the commit's message ends with `skip-checks: true`"


@pytest.mark.parametrize(
    "message",
    [
        "skip-checks: true",
        "Mend\nskip-checks: true",
        "Mend\n\nskip-checks: true",
        "Mend\n\n\nskip-checks: true\nSigned-off-by: Ann",
        "Mend\n\n\nskip-checks: false",
        "Mend\n\n\nskip-checks: true story",
        "Mend\n\n\nno-skip-checks: true",
    ],
)
def test_the_trailer_elsewhere_does_not(message: str) -> None:
    assert skip_reason(pushed(message)) == ""
