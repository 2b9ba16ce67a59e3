"""The promised share of every conformance set, one test a set."""

from __future__ import annotations

import pytest

from tests.conformance import harness

NAMES = sorted(harness.THRESHOLDS)


@pytest.mark.parametrize("name", NAMES)
def test_set_passes_its_promised_share(name: str, conformance_results: list[harness.SetResult]) -> None:
    if name not in harness.set_names():
        pytest.skip(f"no data for {name} in {harness.DATA_FOLDER} (PAWL_CONFORMANCE, PAWL_CORPUS)")
    result = harness.run_set(name)
    conformance_results.append(result)
    assert result.cases > 0
    assert result.is_enough, harness.table([result], failures_shown=10)
