"""act's end-to-end table, on the host and in containers."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from pawl.adapters.executor_docker import DockerExecutor
from pawl.core.model.errors import InfrastructureError
from tests.conformance import harness, runnable

HAVE = (harness.DATA_FOLDER / "runnable.json").is_file()
CASES = [case for case in runnable.cases() if runnable.why_not(case) is None] if HAVE else []
IN_CONTAINERS = [case for case in CASES if runnable.runs_in_containers(case)]
ON_THE_HOST = [case for case in CASES if not runnable.runs_in_containers(case)]


def name_of(case: dict[str, Any]) -> str:
    return str(case["path"]).rpartition("testdata/")[2]


@pytest.fixture(scope="module")
def engine() -> None:
    async def probe() -> None:
        executor = DockerExecutor()
        try:
            await executor.probe()
        finally:
            await executor.aclose()

    try:
        asyncio.run(probe())
    except InfrastructureError as error:
        if os.environ.get("CI"):
            pytest.fail(f"CI is set and no container engine answers: {error}")
        pytest.skip(f"no container engine: {error}; tools/engine/start brings one up")


def check(case: dict[str, Any]) -> None:
    finished = runnable.run_case(case)

    assert finished.conclusion.value == case["expect"], finished.log


@pytest.mark.parametrize("case", ON_THE_HOST, ids=name_of)
def test_a_workflow_ends_as_acts_table_says(case: dict[str, Any]) -> None:
    check(case)


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("case", IN_CONTAINERS, ids=name_of)
def test_a_workflow_ends_in_containers_as_acts_table_says(case: dict[str, Any]) -> None:
    check(case)


def test_most_cases_run_or_say_why_not() -> None:
    if not HAVE:
        pytest.skip(f"no runnable cases in {harness.DATA_FOLDER} (PAWL_CONFORMANCE)")
    reasons = [runnable.why_not(case) for case in runnable.cases()]

    assert len(ON_THE_HOST) >= 20
    assert len(IN_CONTAINERS) >= 15
    assert all(reason is None or len(reason) > 10 for reason in reasons)
