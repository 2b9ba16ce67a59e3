from __future__ import annotations

import pytest

from pawl.core.workflow.action import parse_action
from pawl.core.workflow.action_syntax import CompositeRuns, DockerRuns, NodeRuns

HEAD = "name: a\ndescription: b\n"


def codes(text: str) -> list[str]:
    return [fault.code for fault in parse_action(text).diagnostics]


@pytest.mark.parametrize(
    ("runs", "kind"),
    [
        ("{using: composite, steps: []}", CompositeRuns),
        ("{using: docker, image: Dockerfile}", DockerRuns),
        ("{using: node20, main: a.js}", NodeRuns),
    ],
)
def test_an_action_is_one_of_three_kinds(runs: str, kind: type) -> None:
    parsed = parse_action(f"{HEAD}runs: {runs}\n")
    assert parsed.diagnostics == ()
    assert parsed.action is not None
    assert isinstance(parsed.action.runs, kind)


def test_an_action_with_keys_of_its_own_can_still_be_run() -> None:
    parsed = parse_action(f"{HEAD}color: red\nruns: {{using: node20, main: a.js}}\n")
    assert [fault.code for fault in parsed.diagnostics] == ["unknown-key"]
    assert parsed.action is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["empty-action"]),
        ("runs: {using: composite, steps: []}\n", ["missing-key", "missing-key"]),
        (HEAD, ["missing-key"]),
        (f"{HEAD}runs: {{using: composite}}\n", ["missing-key"]),
        (f"{HEAD}runs: {{using: composite, steps: [{{run: a}}]}}\n", ["missing-key"]),
        (f"{HEAD}runs: {{using: node9, main: a.js}}\n", ["wrong-value"]),
        (f"{HEAD}runs: {{using: docker, image: a, main: b}}\n", ["unknown-key"]),
        (f"{HEAD}runs: {{using: docker, image: a, args: ['${{{{ github.ref }}}}']}}\n", ["unknown-context"]),
        (
            HEAD + "inputs: {a: {default: '${{ secrets.a }}'}}\nruns: {using: composite, steps: []}\n",
            ["unknown-context"],
        ),
        (
            HEAD + "runs: {using: composite, steps: [{id: a, uses: ./x}, {id: a, uses: ./y}]}\n",
            ["duplicate-step-id"],
        ),
        (f"{HEAD}branding: {{icon: nothing}}\nruns: {{using: composite, steps: []}}\n", ["wrong-value"]),
    ],
)
def test_faults(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


def test_pre_and_post_conditions_imply_nothing() -> None:
    action = parse_action(
        f"{HEAD}runs: {{using: node20, main: a, post: b, post-if: runner.os == 'Linux'}}\n"
    ).action
    assert action is not None
    assert isinstance(action.runs, NodeRuns)
    assert action.runs.pre_condition is None
    assert action.runs.post_condition is not None
    assert action.runs.post_condition.effective == "runner.os == 'Linux'"
