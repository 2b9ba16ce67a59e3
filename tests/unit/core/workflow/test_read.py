"""The structural check, by rule of the official reader."""

from __future__ import annotations

import pytest

from pawl.core.expressions import SCOPES
from pawl.core.workflow.compose import compose
from pawl.core.workflow.grammar import WORKFLOW_GRAMMAR
from pawl.core.workflow.limits import Limits
from pawl.core.workflow.parse import parse_workflow
from pawl.core.workflow.places import root_place
from pawl.core.workflow.read import Reader

JOB = "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: make}]\n"


def found(text: str) -> list[tuple[str, str]]:
    return [(str(fault.span.start), fault.code) for fault in parse_workflow(text).diagnostics]


def with_job(line: str) -> str:
    return JOB + f"    {line}\n"


@pytest.mark.parametrize(
    "line",
    [
        "name: 5",
        "name:",
        "env: {A: true, B: 1.5, C: }",
        "env: ${{ fromJSON('{}') }}",
        "env: {'${{ insert }}': '${{ fromJSON(vars.X) }}'}",
        "timeout-minutes: ${{ fromJSON('5') }}",
        "continue-on-error: ${{ true }}",
        "strategy: ${{ fromJSON('{}') }}",
        "strategy: {matrix: {include: '${{ fromJSON(github.event.x) }}'}}",
        "services: {db: '${{ github.ref_name }}'}",
        "concurrency: {group: a, cancel-in-progress: '${{ github.ref_name != github.base_ref }}'}",
        "permissions: {}",
        "permissions: read-all",
        "outputs: {a: '${{ toJSON(steps) }}'}",
        "container: {image: a, credentials: {username: '${{ toJSON(matrix) }}', password: '${{secrets.P}}'}}",
    ],
)
def test_accepted(line: str) -> None:
    assert found(with_job(line)) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("env:", [("6:9", "wrong-type")]),
        ("env: [A]", [("6:10", "wrong-type")]),
        ("env: {'': x}", [("6:11", "unknown-key")]),
        ("timeout-minutes: '5'", [("6:22", "wrong-type")]),
        ("continue-on-error: yes", [("6:24", "wrong-type")]),
        ("permissions: write", [("6:18", "wrong-value")]),
        ("permissions: {contents: admin}", [("6:29", "wrong-value")]),
        ("permissions: {content: read}", [("6:19", "unknown-key")]),
        ("Name: x", [("6:5", "unknown-key")]),
        ("uses: ./x.yml", [("6:5", "unknown-key")]),
        ("concurrency: {cancel-in-progress: true}", [("6:18", "missing-key")]),
        ("concurrency: {group: a, queue: many}", [("6:36", "wrong-value")]),
        ("container: {image: a, foo: b}", [("6:27", "unknown-key")]),
        ("env: {A: '${{ steps.x }}'}", [("6:19", "unknown-context")]),
        ("env: {A: '${{ secrets.X }}'}\n    name: ${{ secrets.X }}", [("7:15", "unknown-context")]),
        ("if: secrets.X != ''", [("6:9", "unknown-context")]),
        ("if: hashFiles('x') != ''", [("6:9", "unknown-function")]),
        ("name: ${{ insert }}", [("6:11", "insert-directive")]),
        ("strategy: {matrix: {a: 1}}", [("6:28", "wrong-type")]),
        ("needs: {a: b}", [("6:12", "wrong-type")]),
    ],
)
def test_refused_at_its_place(line: str, expected: list[tuple[str, str]]) -> None:
    assert found(with_job(line)) == expected


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("{}", [("5:13", "missing-key")]),
        ("{name: x}", [("5:13", "missing-key")]),
        ("{run: a, uses: b}", [("5:22", "unknown-key")]),
        ("{shell: bash}", [("5:13", "missing-key")]),
        ("{wait: a, run: b}", [("5:23", "unknown-key")]),
        ("text", [("5:13", "wrong-type")]),
        ("{runs: a}", [("5:14", "unknown-key")]),
        ("{foo: a}", [("5:13", "missing-key"), ("5:14", "unknown-key")]),
        ("{uses: ''}", [("5:20", "wrong-type")]),
        ("{run: a, if: '${{ a'}", [("5:27", "expression-syntax")]),
        ("{run: a, background: '${{ true }}'}", [("5:34", "expression-not-allowed")]),
    ],
)
def test_a_step_is_one_of_its_kinds(step: str, expected: list[tuple[str, str]]) -> None:
    text = f"on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{step}]\n"
    assert found(text) == expected


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("push", []),
        ("[push, pull_request]", []),
        ("{push: , schedule: [{cron: '0 0 * * *'}]}", []),
        ("{workflow_call: {inputs: {a: {type: string, default: '${{ github.actor }}'}}}}", []),
        ("{repository_dispatch: {types: [anything]}}", []),
        ("{pull_request: {types: opened}}", []),
        ("pushes", ["wrong-value"]),
        ("[push, pull]", ["wrong-value"]),
        ("{push: {branch: main}}", ["unknown-key"]),
        ("{push: {types: [x]}}", ["unknown-key"]),
        ("{create: {branches: [x]}}", ["wrong-type"]),
        ("{schedule: {cron: '0 0 * * *'}}", ["event-without-effect", "wrong-type"]),
        ("{pull_request: {types: [open]}}", ["wrong-value"]),
        ("{workflow_call: {inputs: {a: {}}}}", ["missing-key"]),
        ("{workflow_call: {inputs: {a: {type: choice}}}}", ["wrong-value"]),
        ("{workflow_call: {inputs: {a: {type: string, default: '${{ env.A }}'}}}}", ["unknown-context"]),
        ("{push: {branches: '${{ github.ref }}'}}", ["filter-pattern", "unknown-context"]),
    ],
)
def test_events(value: str, codes: list[str]) -> None:
    text = JOB.replace("on: push", f"on: {value}")
    assert sorted({code for _, code in found(text)}) == codes


def test_a_message_says_where_and_what_was_expected() -> None:
    fault = parse_workflow(with_job("services: {db: {image: x, port: [5]}}")).diagnostics[0]
    assert fault.message == "unknown key `port` in `jobs.a.services.db`"
    assert fault.hint == "did you mean `ports`?"


def test_reading_stops_when_enough_is_wrong() -> None:
    """What is reported is capped elsewhere; this is about the time that goes into it."""
    jobs = "".join(f"  j{number}: 5\n" for number in range(100))
    root = compose(f"on: push\njobs:\n{jobs}").root
    assert root is not None
    reader = Reader(Limits(diagnostics=10))
    reader.read(root, root_place("workflow", WORKFLOW_GRAMMAR, SCOPES))
    assert len(reader.diagnostics) == 11  # one more than is listed, so that it is known that there are more


def test_long_texts_of_the_file_are_cut_in_messages() -> None:
    fault = parse_workflow(JOB + "x" * 5000 + ": 1\n").diagnostics[0]
    assert len(fault.message) < 200


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (
            "on: push\njobs: {a: {runs-on: x, if: secrets.A != '', steps: [{run: a}]}}\n",
            "in the conditions of its steps",
        ),
        (
            "on: push\njobs: {a: {runs-on: x, steps: [{run: a, if: secrets.A != ''}]}}\n",
            "test `env.NAME != ''`",
        ),
    ],
)
def test_secrets_in_a_condition_come_with_advice(text: str, advice: str) -> None:
    (fault,) = parse_workflow(text).diagnostics
    assert fault.code == "unknown-context"
    assert advice in (fault.hint or "")
