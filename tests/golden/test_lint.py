"""Each check of the catalogue: its bad example draws it and nothing else, its good example nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pawl.core.diagnostics import Diagnostic
from pawl.core.diagnostics.catalogue import CATALOGUE, Entry
from pawl.core.workflow.action import parse_action
from pawl.core.workflow.limits import Limits
from pawl.core.workflow.parse import parse_workflow
from tests.golden.conftest import Compare
from tests.golden.drawing import draw_findings

FOLDER = Path(__file__).parent / "lint"
WITH_EXAMPLE = [entry for entry in CATALOGUE.values() if entry.bad]


def findings(entry: Entry, text: str) -> tuple[Diagnostic, ...]:
    limits = Limits(**entry.limits)
    if entry.kind == "action":
        return parse_action(text, limits=limits).diagnostics
    return parse_workflow(text, called=entry.called, limits=limits).diagnostics


@pytest.mark.parametrize("entry", WITH_EXAMPLE, ids=lambda entry: entry.code)
def test_the_bad_example_draws_exactly_its_check(entry: Entry, compare: Compare) -> None:
    found = findings(entry, entry.bad)
    assert {(diagnostic.code, diagnostic.severity) for diagnostic in found} == {(entry.code, entry.severity)}
    compare(FOLDER / f"{entry.code}.yml", entry.bad)
    compare(FOLDER / f"{entry.code}.out", draw_findings(found))


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.code)
def test_the_good_example_draws_nothing(entry: Entry) -> None:
    if entry.code == "call-target":
        return  # what mends it is in the called file, which both examples share
    assert findings(entry, entry.good) == ()


def test_no_golden_file_is_left_of_a_check_that_is_gone() -> None:
    codes = {entry.code for entry in WITH_EXAMPLE}
    assert {path.stem for path in FOLDER.iterdir()} == codes
