from __future__ import annotations

import pytest

from pawl.core.expressions import ObjectValue, Value
from pawl.core.steps.files import brings_files
from pawl.core.steps.outcome import StepsState
from pawl.engine.execution.refusals import refusals
from pawl.engine.execution.steps.evaluation import Evaluator
from pawl.testing.builders import make_plan

CONTEXTS: dict[str, Value] = {"github": ObjectValue({"ref": "refs/heads/main"})}
EVALUATOR = Evaluator(contexts=CONTEXTS, functions=StepsState().functions())


def refused(step: str, *, has_images: bool = True) -> tuple[str, ...]:
    plan = make_plan(f"on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - {step}\n")
    return refusals(plan.jobs[0], EVALUATOR, has_images=has_images)


@pytest.mark.parametrize(
    "step",
    [
        "{uses: o/r@v1}",
        "{if: always(), uses: o/r@v1}",
        "{if: failure(), uses: o/r@v1}",
        "{if: steps.x.outputs.y == '1', uses: o/r@v1}",
        "{if: env.X == '1', uses: o/r@v1}",
        "{run: x, background: true}",
    ],
)
def test_a_step_that_might_run_and_cannot_refuses_the_job(step: str) -> None:
    assert len(refused(step)) == 1
    assert "step 1 (line 6)" in refused(step)[0]


@pytest.mark.parametrize(
    "step",
    [
        "{run: x}",
        "{uses: actions/checkout@v4}",
        "{uses: ./x}",
        "{if: github.ref == 'refs/heads/other', uses: o/r@v1}",
        "{if: always() && github.ref == 'refs/tags/v1', uses: o/r@v1}",
    ],
)
def test_what_runs_or_never_does_refuses_nothing(step: str) -> None:
    assert refused(step) == ()


def test_calls_of_workflows_are_refused() -> None:
    plan = make_plan("on: push\njobs:\n  a: {uses: o/r/.github/workflows/x.yml@v1}\n")

    assert "calls the workflow" in refusals(plan.jobs[0], EVALUATOR, has_images=True)[0]


@pytest.mark.parametrize(
    ("path", "uses", "expected"),
    [
        (".github/workflows/ci.yml", (), False),
        ("./.github/workflows/ci.yml", (), False),
        (".ci.yml", (), True),
        (".pawl/workflows/ci.yml", ("./x",), True),
        (".ci.yml", ("Actions/Checkout@v4",), False),
    ],
)
def test_where_the_repository_is_in_the_workspace_from_the_start(
    path: str, uses: tuple[str, ...], expected: bool
) -> None:
    assert brings_files(path, uses) is expected


def test_an_action_in_a_container_needs_an_executor_with_images() -> None:
    assert refused("{uses: 'docker://alpine'}") == ()
    assert "the host executor has none" in refused("{uses: 'docker://alpine'}", has_images=False)[0]
