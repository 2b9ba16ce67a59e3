"""Which secrets a job names."""

from __future__ import annotations

import pytest

from pawl.core.model.events import Event
from pawl.core.planning.plan import plan_workflow
from pawl.core.secrets.named import Named, named_by
from pawl.core.workflow.parse import parse_workflow

_HEAD = "on: push\njobs:\n  one:\n    runs-on: ubuntu-latest\n"


def _named(rest: str, *, head: str = _HEAD) -> Named:
    parsed = parse_workflow(head + rest, ".github/workflows/w.yml")
    assert parsed.workflow is not None, parsed.diagnostics
    plan = plan_workflow(parsed.workflow, Event(name="push")).plan
    assert plan is not None
    return named_by(plan.jobs[0], plan.env)


@pytest.mark.parametrize(
    "rest",
    [
        "    steps:\n      - run: echo ${{ secrets.key }}\n",
        "    steps:\n      - run: x\n        env: {A: \"${{ format('{0}', secrets['Key']) }}\"}\n",
        "    steps:\n      - uses: actions/checkout@v4\n        with: {ref: '${{ secrets.KEY }}'}\n",
        "    env: {A: 'x${{ secrets.KEY }}y'}\n    steps: [{run: x}]\n",
        "    container: {image: a, env: {P: '${{ secrets.KEY }}'}}\n    steps: [{run: x}]\n",
        "    container: {image: a, credentials: {username: '${{ secrets.KEY }}'}}\n    steps: [{run: x}]\n",
        "    services: {db: {image: a, env: {P: '${{ secrets.KEY }}'}}}\n    steps: [{run: x}]\n",
        "    outputs: {o: '${{ secrets.KEY }}'}\n    steps: [{run: x}]\n",
    ],
)
def test_a_secret_is_found_wherever_it_may_stand(rest: str) -> None:
    assert _named(rest) == Named(secrets=frozenset({"KEY"}))


def test_the_workflows_own_environment_counts_for_every_job() -> None:
    found = _named("    steps: [{run: x}]\n", head="env: {A: '${{ secrets.TOP }}'}\n" + _HEAD)
    assert found.secrets == {"TOP"}


def test_a_text_that_only_looks_like_one_names_nothing() -> None:
    assert _named("    steps:\n      - run: echo secrets.KEY $ {{ secrets.KEY }}\n") == Named()


@pytest.mark.parametrize("expression", ["toJSON(secrets)", "secrets[matrix.x]", "secrets.*"])
def test_what_is_only_known_later_names_none_and_says_so(expression: str) -> None:
    found = _named(
        f"    strategy: {{matrix: {{x: [KEY]}}}}\n    steps:\n      - run: echo ${{{{ {expression} }}}}\n"
    )
    assert found == Named(token=True, dynamic=True)


@pytest.mark.parametrize(
    "step",
    [
        "run: echo ${{ github.token }}",
        "run: echo ${{ github['TOKEN'] }}",
        "run: echo ${{ secrets.GITHUB_TOKEN }}",
        "run: echo ${{ toJSON(github) }}",
        "uses: ./an-action",
        "{if: github.token != '', run: x}",
    ],
)
def test_a_job_that_may_use_the_token_says_so(step: str) -> None:
    assert _named(f"    steps:\n      - {step}\n") == Named(token=True)


def test_other_facts_of_the_run_are_no_token() -> None:
    found = _named("    steps:\n      - run: echo ${{ github.sha }} ${{ vars.KEY }}\n")
    assert found == Named()


def test_a_value_of_the_matrix_is_data() -> None:
    text = "${{ '${{ secrets.KEY }}' }}"
    found = _named(
        f'    strategy: {{matrix: {{x: ["{text}"]}}}}\n    steps:\n      - run: echo ${{{{ matrix.x }}}}\n'
    )
    assert found == Named()
