"""act's end-to-end table on the host executor."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance import harness, runnable

HAVE = (harness.DATA_FOLDER / "runnable.json").is_file()
CASES = [case for case in runnable.cases() if runnable.why_not(case) is None] if HAVE else []


@pytest.mark.parametrize("case", CASES, ids=[case["path"].rpartition("testdata/")[2] for case in CASES])
def test_a_workflow_ends_as_acts_table_says(case: dict[str, Any]) -> None:
    finished = runnable.run_case(case)

    assert finished.conclusion.value == case["expect"], finished.log


def test_most_cases_run_or_say_why_not() -> None:
    if not HAVE:
        pytest.skip(f"no runnable cases in {harness.DATA_FOLDER} (PAWL_CONFORMANCE)")
    reasons = [runnable.why_not(case) for case in runnable.cases()]

    assert len(CASES) >= 20
    assert all(reason is None or len(reason) > 10 for reason in reasons)
