"""What the catalogue's examples (tests/golden/lint) leave open: the edges of each rule."""

from __future__ import annotations

import pytest

from pawl.core.workflow.limits import Limits
from pawl.core.workflow.parse import parse_workflow


def found(
    text: str, called: dict[str, str] | None = None, limits: Limits | None = None
) -> list[tuple[str, str]]:
    parsed = parse_workflow(text, called=called, limits=limits or Limits())
    return [(str(fault.span.start), fault.code) for fault in parsed.diagnostics]


def jobs(**needs: str) -> str:
    text = "on: push\njobs:\n"
    for name, need in needs.items():
        text += (
            f"  {name}:\n"
            + (f"    needs: {need}\n" if need else "")
            + "    runs-on: x\n    steps: [{run: a}]\n"
        )
    return text


def job(body: str) -> str:
    return f"on: push\njobs: {{a: {{runs-on: x, {body}}}}}\n"


def steps(items: str) -> str:
    return job(f"steps: [{items}]")


def test_options_belong_to_a_choice_even_when_there_are_none() -> None:
    inputs = "a: {type: string, options: []}, b: {type: choice, options: []}, c: {type: choice, options: [x]}"
    text = (
        f"on: {{workflow_dispatch: {{inputs: {{{inputs}}}}}}}\n" + job("steps: [{run: a}]").partition("\n")[2]
    )
    assert [code for _, code in found(text)] == ["input-options", "input-options"]


def test_a_cycle_is_told_from_its_first_job_on() -> None:
    parsed = parse_workflow(jobs(z="", c="[z, b]", a="c", b="a"))
    assert {fault.message.partition(" by way of ")[2] for fault in parsed.diagnostics} == {
        "`c` → `b` → `a` → `c`"
    }
    assert [str(fault.span.start) for fault in parsed.diagnostics] == ["7:16", "11:12", "15:12"]


def test_where_no_job_can_begin_one_finding_names_the_cycle_and_its_needs() -> None:
    parsed = parse_workflow(jobs(a="b", b="a"))
    assert [(str(f.span.start), f.code, len(f.related)) for f in parsed.diagnostics] == [
        ("3:3", "no-first-job", 2)
    ]
    assert "`a` → `b` → `a`" in parsed.diagnostics[0].message


def test_a_job_that_needs_itself_is_a_cycle() -> None:
    assert found(jobs(z="", a="a")) == [("7:12", "needs-cycle")]


def test_a_job_behind_a_cycle_is_not_part_of_it() -> None:
    assert [code for _, code in found(jobs(z="", a="b", b="a", c="b"))] == ["needs-cycle", "needs-cycle"]


def test_a_diamond_is_no_cycle() -> None:
    assert found(jobs(a="", b="a", c="a", d="[b, c]")) == []


def test_a_long_chain_is_cut_in_the_message() -> None:
    chain = {f"j{number}": f"j{(number + 1) % 40}" for number in range(40)}
    parsed = parse_workflow(jobs(z="", **chain))
    assert all(len(fault.message) < 300 for fault in parsed.diagnostics)
    assert len(parsed.diagnostics) == 40


@pytest.mark.parametrize(
    ("matrix", "codes"),
    [
        ("{}", ["matrix-empty"]),
        ("{include: []}", []),
        ("{include: [{}]}", ["matrix-empty"]),
        ("{a: [1], exclude: [{A: 1}]}", []),
        ("{a: '${{ fromJSON(vars.X) }}', exclude: [{b: 1}]}", []),
        ("{a: [1, 2, 3], b: [1, 2], exclude: [{a: 1}]}", ["matrix-large"]),
        ("{a: [1, 2, 3], b: [1, 2]}", ["matrix-too-large"]),
        ("{a: [1, 2, 3, 4, 5]}", ["matrix-large"]),
        ("{a: [1, 2, 3, 4]}", []),
        ("{include: [{a: 1}, {a: 2}, {a: 3}, {a: 4}, {a: 5}, {a: 6}]}", ["matrix-too-large"]),
    ],
)
def test_matrices(matrix: str, codes: list[str]) -> None:
    text = job(f"strategy: {{matrix: {matrix}}}, steps: [{{run: a}}]")
    assert [code for _, code in found(text, limits=Limits(matrix=5, matrix_warning=5))] == codes


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("container: {image: a, ports: [80, '1:2/udp', '127.0.0.1:1:2', '1-2:3-4', ':5']}", []),
        ("container: {image: a, ports: ['a:b']}", ["port"]),
        ("container: {ports: [80]}", ["container-image"]),
        ("container: {env: {A: '${{ github.ref }}'}}", []),
        ("container: ''", []),
        ("container: 'docker://a'", []),
        ("container: '${{ vars.X }}'", []),
        ("services: {a: {image: A}}", ["image"]),
        ("runs-on: {group: a/b/c}", ["runs-on-group"]),
        ("timeout-minutes: 0", ["timeout"]),
        ("timeout-minutes: -1", ["timeout"]),
        ("timeout-minutes: .nan", ["timeout"]),
        ("timeout-minutes: 0.5", []),
        ("defaults: {run: {shell: fish}}", ["shell"]),
    ],
)
def test_jobs(body: str, codes: list[str]) -> None:
    text = job(f"{body}, steps: [{{run: a}}]")
    text = text.replace("runs-on: x, runs-on", "runs-on")
    assert [code for _, code in found(text)] == codes


@pytest.mark.parametrize(
    ("items", "codes"),
    [
        ("{run: a, shell: PowerShell}", []),
        ("{run: a, shell: 'perl {0}'}", []),
        ("{run: a, shell: perl}", ["shell"]),
        ("{run: a, shell: '${{ matrix.shell }}'}", ["unknown-context"]),
        ("{run: 'echo ::set-output name=a::b'}", ["deprecated-command"]),
        ("{run: 'echo ::group::a'}", []),
        ("{uses: docker://a}", []),
        ("{uses: 'docker://A B'}", ["image"]),
        ("{uses: ./a}", []),
        ("{uses: $/a}", []),
        ("{uses: a/b}", ["action-reference"]),
        ("{uses: a@b}", ["action-reference"]),
        ("{uses: actions/a@v1}", []),
        ("{uses: GitHub/a/b@main}", []),
        ("{uses: o/r@v1}", ["unpinned-action"]),
        ("{uses: o/r@0123456789ABCDEF0123456789abcdef01234567}", []),
        ("{id: a, run: a}, {id: A, run: b}", []),
        ("{id: a, run: a, background: true}, {wait: [a]}, {cancel: a}", []),
        ("{wait: a}, {id: a, run: a}", ["unknown-step"]),
        ("{parallel: [{id: a, run: x}, {id: a, run: y}]}", ["duplicate-step-id"]),
        ("{run: 'echo ${{ github.head_ref }}'}", ["untrusted-in-script"]),
        ("{run: 'echo ${{ github.sha }}'}", []),
        ("{run: x, env: {A: '${{ github.head_ref }}'}}", []),
    ],
)
def test_steps(items: str, codes: list[str]) -> None:
    assert [code for _, code in found(steps(items))] == codes


def test_an_untrusted_value_is_shown_where_it_stands() -> None:
    text = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n"
    text += (
        "      - run: |\n          make\n          echo ${{ github.sha }} ${{ github.event.comment.body }}\n"
        * 2
    )
    assert found(text) == [("8:38", "untrusted-in-script"), ("11:38", "untrusted-in-script")]


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run"])
@pytest.mark.parametrize(
    ("ref", "is_head"),
    [
        ("${{ github.event.pull_request.head.sha }}", True),
        ("refs/pull/${{ github.event.number }}/merge", True),
        ("${{ github.event.workflow_run.head_sha }}", True),
        ("${{ github.head_ref }}", True),
        ("main", False),
    ],
)
def test_a_checkout_of_the_head_is_reported_where_secrets_are(event: str, ref: str, is_head: bool) -> None:
    text = steps(f"{{uses: actions/checkout@v4, with: {{ref: '{ref}'}}}}")
    text = text.replace("on: push", f"on: {{{event}: {{branches: [main]}}}}")
    assert ("privileged-checkout" in {code for _, code in found(text)}) is is_head


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("needs: b, if: needs.b.result == 'success'", []),
        ("needs: b, if: needs.c.result == 'success'", ["unknown-reference"]),
        ("strategy: {matrix: {A: [1], include: [{b: 2}]}}, name: '${{ matrix.a }} ${{ matrix.B }}'", []),
        ("strategy: {matrix: {a: [1]}}, name: '${{ matrix.include }}'", ["unknown-reference"]),
        ("strategy: {matrix: {a: [1], include: '${{ fromJSON(vars.X) }}'}}, name: '${{ matrix.b }}'", []),
        ("strategy: {matrix: '${{ fromJSON(vars.X) }}'}, name: '${{ matrix.b }}'", []),
        ("name: '${{ inputs.size }} ${{ inputs.siz }}'", ["unknown-reference"]),
        ("outputs: {a: '${{ steps.MAKE.outputs.b }} ${{ steps.other.outputs.c }}'}", ["unknown-reference"]),
        ("outputs: {a: \"${{ steps['make'].outputs.b }} ${{ steps.*.outcome }}\"}", []),
    ],
)
def test_references(body: str, codes: list[str]) -> None:
    text = "on: {workflow_dispatch: {inputs: {size: {type: string}}}}\n"
    text += f"jobs: {{b: {{runs-on: x}}, a: {{runs-on: x, steps: [{{id: make, run: a}}], {body}}}}}\n"
    assert [code for _, code in found(text)] == codes


@pytest.mark.parametrize(
    ("event", "declared", "severities"),
    [
        ("workflow_dispatch", "{type: boolean, default: 'true'}", ["error"]),
        ("workflow_dispatch", "{type: boolean, default: true}", []),
        ("workflow_dispatch", "{type: number, default: x}", ["warning"]),
        ("workflow_dispatch", "{type: number, default: 1.5}", []),
        ("workflow_dispatch", "{type: choice, options: [a, 1], default: 1}", []),
        ("workflow_dispatch", "{type: choice, options: [a], default: b}", ["warning"]),
        ("workflow_dispatch", "{default: 5}", []),
        ("workflow_dispatch", "{type: string, options: [a]}", ["error"]),
        ("workflow_call", "{type: number, default: x}", ["error"]),
        ("workflow_call", "{type: boolean, default: '${{ github.actor }}'}", []),
    ],
)
def test_inputs(event: str, declared: str, severities: list[str]) -> None:
    text = (
        f"on: {{{event}: {{inputs: {{a: {declared}}}}}}}\njobs: {{a: {{runs-on: x, steps: [{{run: a}}]}}}}\n"
    )
    assert [str(fault.severity) for fault in parse_workflow(text).diagnostics] == severities


@pytest.mark.parametrize(
    ("reference", "is_right"),
    [
        ("./.github/workflows/a.yml", True),
        ("./anywhere/a.yaml", True),
        ("$/.github/workflows/a.yml", True),
        ("o/r/.github/workflows/a.yml@main", True),
        ("o/r/.github/workflows/a.yml@feature/x", True),
        ("'${{ vars.X }}'", True),
        ("./.github/workflows/a.yml@v1", False),
        ("./.github/workflows", False),
        ("o/r/.github/workflows/a.yml", False),
        ("o/r/a.yml@v1", False),
        ("o/r@v1", False),
    ],
)
def test_references_of_called_workflows(reference: str, is_right: bool) -> None:
    codes = [code for _, code in found(f"on: push\njobs: {{a: {{uses: {reference}}}}}\n")]
    if "${{" in reference:
        assert "call-reference" not in codes
    else:
        assert codes == ([] if is_right else ["call-reference"])


CALLED = """
on:
  workflow_call:
    inputs:
      flag: {type: boolean}
      count: {type: number}
      text: {type: string, required: true}
    secrets:
      token: {required: true}
      other:
jobs:
  inner:
    runs-on: x
    steps: [{run: a}]
"""


def call(body: str) -> str:
    return f"on: push\njobs: {{a: {{uses: ./c.yml, {body}}}}}\n"


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("with: {text: a}, secrets: inherit", []),
        ("with: {TEXT: 5, flag: true, count: 1.5}, secrets: {TOKEN: x}", []),
        ("with: {text: a, flag: '${{ vars.X }}'}, secrets: inherit", []),
        ("secrets: inherit", ["call-input"]),
        ("with: {text: a, flag: 'true'}, secrets: inherit", ["call-input"]),
        ("with: {text: a, count: x}, secrets: inherit", ["call-input"]),
        ("with: {text: a, txt: b}, secrets: inherit", ["call-input"]),
        ("with: {text: a}", ["call-secret"]),
        ("with: {text: a}, secrets: {token: x, tokn: y}", ["call-secret"]),
    ],
)
def test_calls(body: str, codes: list[str]) -> None:
    assert [code for _, code in found(call(body), {"./c.yml": CALLED})] == codes


def test_a_call_of_a_file_that_is_not_at_hand_is_not_checked() -> None:
    assert found(call("with: {anything: 1}"), {}) == []


@pytest.mark.parametrize(
    ("caller", "inner", "is_allowed"),
    [
        ("", "write-all", True),
        ("permissions: read-all", "read-all", True),
        ("permissions: read-all", "{contents: write}", False),
        ("permissions: {contents: write}", "{contents: read}", True),
        ("permissions: {}", "{contents: none}", True),
        ("permissions: {}", "{contents: read}", False),
    ],
)
def test_a_called_job_may_not_have_more_than_its_caller(caller: str, inner: str, is_allowed: bool) -> None:
    called = f"on: workflow_call\njobs: {{b: {{permissions: {inner}, runs-on: x, steps: [{{run: a}}]}}}}\n"
    codes = {code for _, code in found(call(caller), {"./c.yml": called})}
    assert codes == (set() if is_allowed else {"call-permissions"})


def test_permissions_are_followed_through_calls_of_calls() -> None:
    middle = "on: workflow_call\npermissions: {contents: read}\njobs: {m: {uses: ./d.yml}}\n"
    inner = "on: workflow_call\njobs: {b: {permissions: {contents: write}, runs-on: x, steps: [{run: a}]}}\n"
    outer = call("permissions: {contents: write}")
    assert found(outer, {"./c.yml": middle, "./d.yml": inner}) == [("2:8", "call-permissions")]


def test_workflows_that_call_each_other_end() -> None:
    loop = "on: workflow_call\njobs: {m: {uses: ./c.yml}}\n"
    assert found(call("permissions: {}"), {"./c.yml": loop}) == []


def test_calls_nested_too_deeply_are_refused() -> None:
    called = {
        f"./{number}.yml": f"on: workflow_call\njobs: {{m: {{uses: ./{number + 1}.yml}}}}\n"
        for number in range(5)
    }
    text = "on: push\npermissions: {}\njobs: {a: {uses: ./0.yml}}\n"
    assert found(text, called, Limits(calls=5)) == []
    assert found(text, called, Limits(calls=4)) == [("3:8", "call-permissions")]
