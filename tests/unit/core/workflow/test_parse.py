from __future__ import annotations

import pytest

from pawl.core.diagnostics import Severity, has_errors
from pawl.core.model.ids import JobKey
from pawl.core.workflow.compose import compose
from pawl.core.workflow.limits import Limits
from pawl.core.workflow.nodes import Mapping, to_json
from pawl.core.workflow.parse import Parsed, parse_workflow
from pawl.core.workflow.syntax import Job, RunStep, UsesStep, Workflow

STEPS = "    runs-on: x\n    steps:\n      - run: make\n"


def workflow_of(text: str) -> Workflow:
    parsed = parse_workflow(text)
    assert not has_errors(parsed.diagnostics), parsed.diagnostics
    assert parsed.workflow is not None
    return parsed.workflow


def job_of(body: str, head: str = "") -> Job:
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    return workflow_of(f"{head}on: push\njobs:\n  a:\n{indented}").jobs[JobKey("a")]


def found(text: str) -> list[tuple[str, str]]:
    return [(str(fault.span.start), fault.code) for fault in parse_workflow(text).diagnostics]


def test_findings_come_by_place() -> None:
    text = "on: push\njobs:\n  b:\n    needs: c\n    runs-on: x\n    step: []\n  a: {runs-on: x, f: 1}\n"
    places = [fault.span.start for fault in parse_workflow(text).diagnostics]
    assert places == sorted(places)
    assert len(places) == 3


def test_a_file_without_a_job_has_no_workflow() -> None:
    assert parse_workflow("on: push\n").workflow is None
    assert parse_workflow("[]").diagnostics[0].code == "empty-workflow"


def test_a_faulty_file_still_shows_what_is_sound() -> None:
    parsed = parse_workflow(f"on: push\njobs:\n  a:\n{STEPS}  b:\n    foo: 1\n")
    assert has_errors(parsed.diagnostics)
    assert parsed.workflow is not None
    assert list(parsed.workflow.jobs) == ["a", "b"]


def test_what_the_parser_is_given_as_path_is_kept() -> None:
    parsed = parse_workflow(f"on: push\njobs:\n  a:\n{STEPS}", "ci.yml")
    assert parsed.workflow is not None
    assert parsed.workflow.path == "ci.yml"


def test_numbers_become_the_text_that_github_makes_of_them() -> None:
    workflow = workflow_of(f"on:\n  push:\n    branches: [1.0, 3.10, 0x10]\njobs:\n  a:\n{STEPS}")
    branches = workflow.triggers[0].filters.branches
    assert branches is not None
    assert [branch.text for branch in branches] == ["1", "3.1", "16"]


def test_a_lone_literal_expression_reads_as_plain_text() -> None:
    workflow = workflow_of(f"on: ${{{{ 'push' }}}}\njobs:\n  a:\n{STEPS}")
    assert workflow.triggers[0].event.text == "push"


@pytest.mark.parametrize(
    ("condition", "effective"),
    [
        ("true", "success() && (true)"),
        ("always()", "always()"),
        ("${{ github.ref == 'x' }}", "success() && (github.ref == 'x')"),
        ("''", "success()"),
        ("!cancelled() && github.actor == 'a'", None),
    ],
)
def test_a_condition_gets_its_implicit_success(condition: str, effective: str | None) -> None:
    text = f'"{condition}"' if condition.startswith("!") else condition
    job = job_of(f"if: {text}\nruns-on: x\nsteps: [{{run: make}}]\n")
    assert job.condition is not None
    assert job.condition.effective == (effective or condition)


def test_an_empty_filter_is_not_the_same_as_none() -> None:
    workflow = workflow_of(f"on:\n  push: {{branches: []}}\n  pull_request:\njobs:\n  a:\n{STEPS}")
    assert [trigger.filters.branches for trigger in workflow.triggers] == [(), None]


def test_a_number_as_a_script_is_a_text() -> None:
    step = job_of("runs-on: x\nsteps: [{run: 1.50}]\n").steps[0]
    assert isinstance(step, RunStep)
    assert step.run.value == "1.5"


def test_command_is_run_and_both_are_a_fault() -> None:
    step = job_of("runs-on: x\nsteps: [{command: make}]\n").steps[0]
    assert isinstance(step, RunStep)
    assert step.run.text == "make"
    assert found("on: push\njobs: {a: {runs-on: x, steps: [{run: a, command: b}]}}") == [
        ("2:41", "duplicate-key")
    ]


@pytest.mark.parametrize(
    ("environment", "is_githubs"),
    [
        ("live", True),
        ("{name: live}", True),
        ("{name: live, url: x}", True),
        ("{A: b}", False),
        ("{A: b, C: d}", False),
    ],
)
def test_a_jobs_environment_is_githubs_unless_it_can_only_be_variables(
    environment: str, is_githubs: bool
) -> None:
    job = job_of(f"environment: {environment}\nruns-on: x\nsteps: [{{run: make}}]\n")
    assert (job.environment is not None, job.env is None) == (is_githubs, is_githubs)


@pytest.mark.parametrize("environment", ["{name: live, ulr: x}", "{url: x}", "{}"])
def test_a_misspelt_environment_of_github_stays_a_fault(environment: str) -> None:
    text = f"on: push\njobs:\n  a:\n    environment: {environment}\n{STEPS}"
    assert has_errors(parse_workflow(text).diagnostics)


def test_env_wins_over_environment_in_a_job() -> None:
    job = job_of("environment: {A: 1, B: 2}\nenv: {B: 3}\nruns-on: x\nsteps: [{run: make}]\n")
    assert to_json(job.env) == {"A": 1, "B": 3}
    assert isinstance(job.env, Mapping)
    assert [name.text for name, _ in job.env] == ["A", "B"]


def test_the_matrix_at_the_top_is_for_jobs_without_one() -> None:
    text = "on: push\nmatrix: {a: [1]}\njobs:\n  own:\n    matrix: {b: [2]}\n" + STEPS
    text += f"  strategy:\n    strategy: {{fail-fast: false, matrix: {{c: [3]}}}}\n{STEPS}  none:\n{STEPS}"
    jobs = workflow_of(text).jobs.values()
    assert [to_json(job.strategy.matrix) if job.strategy else None for job in jobs] == [
        {"b": [2]},
        {"c": [3]},
        {"a": [1]},
    ]


def test_two_matrices_of_one_job_are_a_fault() -> None:
    text = "on: push\njobs:\n  a:\n    matrix: {a: [1]}\n    strategy: {matrix: {a: [1]}}\n" + STEPS
    assert found(text) == [("4:13", "duplicate-key")]


def test_stages_become_needs_and_empty_ones_are_passed_over() -> None:
    text = "on: push\nstages: [one, empty, two, three]\njobs:\n"
    for name, stage in (("a", "one"), ("b", ""), ("c", "two"), ("d", "two"), ("e", "three")):
        text += f"  {name}:\n" + (f"    stage: {stage}\n" if stage else "") + STEPS
    text = text.replace("  e:\n", "  e:\n    needs: a\n")
    needs = {key: [need.text for need in job.needs] for key, job in workflow_of(text).jobs.items()}
    assert needs == {"a": [], "b": [], "c": ["a", "b"], "d": ["a", "b"], "e": ["a", "c", "d"]}


def test_a_stage_without_stages_is_a_fault() -> None:
    assert found(f"on: push\njobs:\n  a:\n    stage: test\n{STEPS}") == [("4:12", "unknown-stage")]


@pytest.mark.parametrize(
    ("written", "minutes"),
    [("10m", 10), ("1h30m", 90), ("90s", 1.5), ("7", 7), ("${{ github.run_attempt }}", None)],
)
def test_a_timeout_is_given_in_minutes(written: str, minutes: float | None) -> None:
    job = job_of(f"timeout: {written}\nruns-on: x\nsteps: [{{run: make}}]\n")
    assert to_json(job.timeout_minutes) == (written if minutes is None else minutes)


def test_both_spellings_of_a_timeout_are_a_fault() -> None:
    text = f"on: push\njobs:\n  a:\n    timeout: 5m\n    timeout-minutes: 5\n{STEPS}"
    assert found(text) == [("5:5", "duplicate-key")]


@pytest.mark.parametrize(
    "retry",
    [
        "0",
        "21",
        "1.5",
        "{backoff: 1s}",
        "{max_attempts: 2, backoff: soon}",
        "{max_attempts: 2, signals: [SIGNOPE]}",
    ],
)
def test_a_rule_for_trying_again_must_make_sense(retry: str) -> None:
    codes = {code for _, code in found(f"on: push\njobs:\n  a:\n    retry: {retry}\n{STEPS}")}
    assert codes == {"retry"}


def test_generated_ids_do_not_collide_with_those_of_nested_steps() -> None:
    body = "runs-on: x\nsteps:\n  - parallel: [{run: a}, {run: b}]\n  - run: c\n  - uses: actions/cache@v4\n"
    steps = job_of(body).steps
    assert [step.common.id for step in steps] == ["__parallel", "__run_3", "__actions_cache"]


def test_steps_know_what_they_use() -> None:
    step = job_of("runs-on: x\nsteps: [{uses: $/here, with: {a: 1}}]\n").steps[0]
    assert isinstance(step, UsesStep)
    assert step.uses.text == "$/here"


def test_errors_and_warnings_are_counted_apart() -> None:
    """Many warnings must not hide an error that comes after them."""
    uses = "".join(f"      - uses: o/r@v{number}\n" for number in range(8))
    text = f"on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n{uses}      - foo: x\n"
    parsed: Parsed = parse_workflow(text, limits=Limits(diagnostics=3))
    severities = [fault.severity for fault in parsed.diagnostics[:-1]]
    assert severities.count(Severity.WARNING) == 3
    assert severities.count(Severity.ERROR) == 2
    assert parsed.diagnostics[-1].code == "more-findings"


def test_a_hopeless_file_is_told_so_up_to_the_limit() -> None:
    keys = "".join(f"k{number}: 1\n" for number in range(50))
    codes = [fault.code for fault in parse_workflow(keys, limits=Limits(diagnostics=10)).diagnostics]
    assert len(codes) == 11
    assert codes[-1] == "more-findings"


@pytest.mark.parametrize("text", ["a: 1\n" * 50, "- &a [b]\n" + "- {k: 1, K: 2}\n" * 50])
def test_repeated_keys_are_listed_up_to_the_limit(text: str) -> None:
    assert len(parse_workflow(text, limits=Limits(diagnostics=10)).diagnostics) == 11
    assert len(compose(text, Limits(diagnostics=10)).diagnostics) == 11


def test_a_long_text_full_of_expressions_is_refused_as_a_whole() -> None:
    """Taking it apart took twelve seconds for a megabyte."""
    head = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: |\n"
    found = parse_workflow(head + "          ${{ x y }}\n" * 2000).diagnostics
    assert [(fault.code, fault.span.start.line) for fault in found] == [("expression-too-long", 6)]
