from __future__ import annotations

import textwrap

import pytest

from pawl.core.expressions import is_untrusted
from pawl.core.model.errors import UsageError
from pawl.core.model.events import Event
from pawl.core.model.plan import Outlook
from pawl.core.planning.contexts import matrix_context
from pawl.core.planning.limits import PlanLimits
from pawl.core.planning.plan import plan_workflow
from pawl.core.planning.storage import plan_from_json, plan_to_json
from pawl.core.planning.unsupported import on_a_server
from pawl.core.workflow.parse import parse_workflow
from tests.unit.core.planning.workflows import PUSH, job, plan_for, planned

DISPATCH = "{workflow_dispatch: {inputs: {level: {type: number}, name: {required: true}}}}"


def outlooks(jobs: str, event: Event = PUSH) -> dict[str, str]:
    return {each.key: each.verdict.outlook.value for each in plan_for(jobs, event).jobs}


def test_jobs_come_in_topological_order_with_all_ancestors() -> None:
    plan = plan_for(job("c", "needs: b") + job("a") + job("b", "needs: [a, a]"))
    assert [each.key for each in plan.jobs] == ["a", "b", "c"]
    assert plan.job("c").ancestors == ("a", "b")
    assert plan.job("b").needs == ("a",)


def test_a_condition_known_now_is_decided_now_with_its_trace() -> None:
    plan = plan_for(
        job("a", "if: github.ref == 'refs/heads/x'") + job("b", "if: github.event_name == 'push'")
    )
    verdict = plan.job("a").verdict
    assert (verdict.outlook, verdict.reason) == (Outlook.SKIPPED, "its condition is false")
    assert any("github.ref == 'refs/heads/x'" in line for line in verdict.trace)
    assert plan.job("b").verdict.outlook is Outlook.RUNS


def test_what_follows_from_a_skipped_need_is_known_now() -> None:
    jobs = (
        job("a", "if: false")
        + job("b", "needs: a")
        + job("c", "needs: b", "if: always()")
        + job("d", "needs: a", "if: always() && needs.a.result == 'skipped'")
        + job("e", "needs: a", "if: failure()")
    )
    assert outlooks(jobs) == {"a": "skipped", "b": "skipped", "c": "runs", "d": "runs", "e": "skipped"}


def test_what_depends_on_results_is_decided_later() -> None:
    jobs = (
        job("a")
        + job("b", "needs: a")
        + job("c", "needs: a", "if: failure()")
        + job("d", "needs: a", "if: needs.a.outputs.x == '1'")
        + job("e", "needs: a", "if: github.ref == 'no'")
        + job("f", "needs: a", "if: always()")
    )
    expected = dict.fromkeys("bcd", "decided_later") | {"a": "runs", "e": "skipped", "f": "runs"}
    assert outlooks(jobs) == expected


def test_short_names_decide_too() -> None:
    assert outlooks(job("a", "if: branch == 'main' && event == 'push' && tag == ''")) == {"a": "runs"}


def test_a_literal_matrix_is_expanded_and_one_of_outputs_is_not() -> None:
    plan = plan_for(
        job("a", "strategy: {matrix: {v: [1, 2]}}", "name: Build it")
        + job("b", "needs: a", "strategy: {matrix: {v: '${{ fromJSON(needs.a.outputs.v) }}'}}")
        + job("c", "strategy: {matrix: {v: '${{ fromJSON(vars.LIST) }}'}}", "name: 'V${{ matrix.v }}'"),
        variables={"LIST": "[7, 8]"},
    )
    named = [each.name for each in plan.job("a").combinations or ()]
    assert named == ["Build it (1)", "Build it (2)"]
    assert plan.job("b").combinations is None
    assert [each.name for each in plan.job("c").combinations or ()] == ["V7", "V8"]
    assert [each.values for each in plan.job("c").combinations or ()] == [{"v": 7}, {"v": 8}]


def test_a_matrix_made_of_outsiders_texts_stays_marked_when_stored() -> None:
    event = Event(name="push", payload={"head_commit": {"message": "x"}})
    jobs = job("a", "strategy: {matrix: {v: ['${{ github.event.head_commit.message }}', safe]}}")
    plan = plan_from_json(plan_to_json(plan_for(jobs, event)))
    first, second = plan.job("a").combinations or ()
    assert is_untrusted(matrix_context(first))
    assert not is_untrusted(matrix_context(second))


def test_names_are_made_distinct() -> None:
    plan = plan_for(
        job("a", "strategy: {matrix: {v: [1, 2]}}", "name: 'T ${{ github.ref_name }}'")
        + job("b", "strategy: {matrix: {v: [3, 3]}}")
    )
    assert [each.name for each in plan.job("a").combinations or ()] == ["T main (1)", "T main (2)"]
    assert [each.name for each in plan.job("b").combinations or ()] == ["b (3)", "b (3) #2"]


def test_a_name_may_use_variables_of_the_environment() -> None:
    plan = plan_for(job("a", "name: build $WHAT ${MORE:-now}"), top="env: {WHAT: docs}")
    assert [each.name for each in plan.job("a").combinations or ()] == ["build docs now"]


def test_an_excluded_matrix_skips_the_job() -> None:
    plan = plan_for(job("a", "strategy: {matrix: {v: [1], exclude: [{v: 1}]}}"))
    assert plan.job("a").verdict.outlook is Outlook.SKIPPED


def test_a_wrong_matrix_from_an_expression_is_told_with_its_place() -> None:
    result = planned(job("a", "strategy: {matrix: '${{ fromJSON(vars.M) }}'}"), variables={"M": '{"v": []}'})
    assert result.plan is None
    (found,) = result.diagnostics
    assert found.code == "plan-expression"
    assert found.message == "job `a`: matrix key `v` has no values"
    assert found.span.start.line > 3


def test_a_wrong_matrix_of_a_skipped_job_is_no_fault() -> None:
    jobs = job("a", "if: false", "strategy: {matrix: '${{ fromJSON(vars.M) }}'}")
    assert planned(jobs).plan is not None


def test_a_large_matrix_is_worth_a_note() -> None:
    plan = plan_for(job("a", f"strategy: {{matrix: {{v: {list(range(60))}}}}}"))
    assert plan.job("a").notes == ("the matrix makes 60 jobs",)


def test_dispatch_inputs_are_typed_and_checked() -> None:
    event = Event(name="workflow_dispatch", inputs={"name": "x", "level": "1"})
    plan = plan_for(job("a", "if: inputs.level == 2"), event, on=DISPATCH, inputs={"level": "2"})
    assert plan.inputs == {"level": 2, "name": "x"}
    assert plan.job("a").verdict.outlook is Outlook.RUNS
    result = planned(job("a"), Event(name="workflow_dispatch"), on=DISPATCH, inputs={"lvl": "2"})
    assert result.plan is None
    assert {found.code for found in result.diagnostics} == {"dispatch-input"}
    assert len(result.diagnostics) == 2


def test_inputs_for_another_event_are_an_error() -> None:
    assert planned(job("a"), inputs={"x": "1"}).plan is None


def test_inputs_of_a_called_workflow_may_default_to_expressions() -> None:
    on = "{workflow_call: {inputs: {ref: {type: string, default: '${{ github.sha }}'}, n: {type: number}}}}"
    plan = plan_for(job("a"), Event(name="workflow_call", sha="f" * 40), on=on)
    assert plan.inputs == {"ref": "f" * 40, "n": 0}


def test_the_run_name_is_rendered_or_taken_from_the_event() -> None:
    actor = Event(name="push", actor="ann", payload={"head_commit": {"message": "Fix it\n\nlong"}})
    assert plan_for(job("a"), actor, top="run-name: 'by ${{ github.actor }}'").run_name == "by ann"
    assert plan_for(job("a"), actor).run_name == "Fix it"
    assert plan_for(job("a"), top="name: CI").run_name == "CI"


def test_an_event_that_does_not_start_it_still_gives_a_plan() -> None:
    plan = plan_for(job("a"), Event(name="issues", action="opened"))
    assert plan.trigger.outlook is Outlook.SKIPPED
    assert "does not listen to `issues`" in plan.trigger.reason


def test_what_only_the_right_event_fills_in_is_no_error_for_another() -> None:
    jobs = job("a", "strategy: {matrix: '${{ fromJSON(github.event.inputs.m) }}'}")
    on = "{workflow_dispatch: {inputs: {m: {default: '{\"v\": [1]}'}}}}"
    assert len(plan_for(jobs, Event(name="workflow_dispatch"), on=on).job("a").combinations or ()) == 1
    result = planned(jobs, PUSH, on=on)
    assert result.plan is not None
    assert [found.severity for found in result.diagnostics] == ["warning"]


def test_nothing_is_ignored_silently() -> None:
    plan = plan_for(
        """
        call: {uses: ./.github/workflows/x.yml}
        win: {runs-on: windows-latest, steps: [{run: dir}]}
        env: {runs-on: ubuntu-latest, environment: production, steps: [{run: 'true'}]}
        steps:
          runs-on: [self-hosted, linux]
          steps:
            - uses: actions/checkout@v4
            - uses: ./local
            - uses: docker://alpine
            - uses: actions/setup-python@v5
        """
    )
    assert "reusable workflow" in plan.job("call").unsupported[0]
    assert "only Linux" in plan.job("win").unsupported[0]
    assert plan.job("env").unsupported == ()
    assert "a local run asks nobody" in plan.job("env").notes[0]
    (sentence,) = plan.job("steps").unsupported
    assert "`actions/setup-python@v5` is a remote action" in sentence


def test_what_containers_may_not_ask_for_is_told_before_the_run() -> None:
    plan = plan_for(
        """
        a:
          runs-on: ubuntu-latest
          container: {image: x, options: --memory 1g --privileged, volumes: ["/tmp:/a", "n:/x", "/y:ro"]}
          services: {db: {image: x, options: --cap-add ALL, volumes: ["${{ vars.V }}", "../x:/x:ro"]}}
          steps: [{run: 'true'}]
        """
    )
    option, volume, added, above = plan.job("a").unsupported
    assert "`container`: the option `--privileged`" in option
    assert "`/tmp:/a` is a folder of the machine" in volume
    assert "`services.db`: the option `--cap-add`" in added
    assert "`../x:/x:ro`" in above


def test_what_only_a_server_keeps_is_told() -> None:
    text = job("a", "concurrency: c", "environment: e", "priority: 5").replace(
        "ubuntu-latest", "{group: big}"
    )
    told = plan_for(text).job("a").notes
    words = ("concurrency", "environment", "`priority`", "group `big`")
    assert all(word in sentence for word, sentence in zip(words, told, strict=True))


def test_the_concurrency_of_the_workflow_is_told_with_its_first_job_only() -> None:
    plan = plan_for(job("a") + job("b"), top="concurrency: c")
    assert [len(each.notes) for each in plan.jobs] == [1, 0]


def test_steps_and_defaults_are_carried_over_as_written() -> None:
    plan = plan_for(
        """
        a:
          runs-on: ubuntu-latest
          defaults: {run: {working-directory: sub}}
          env: {A: 1}
          steps:
            - id: one
              run: make
              if: github.ref
              env: {B: '${{ env.A }}'}
              continue-on-error: true
              timeout-minutes: 5
            - uses: ./x
              with: {n: 3.0}
        """,
        top="defaults: {run: {shell: sh, working-directory: top}}",
    )
    a = plan.job("a")
    one, two = a.steps
    assert (a.default_shell, a.default_working_directory) == ("sh", "sub")
    assert (one.id, one.has_own_id, one.run) == ("one", True, "make")
    assert one.condition == "success() && (github.ref)"
    assert one.condition_text == "github.ref"
    assert (one.env, one.continue_on_error, one.timeout_minutes) == ({"B": "${{ env.A }}"}, True, 5)
    assert (two.kind, two.uses, two.has_own_id) == ("uses", "./x", False)


def test_a_cycle_that_reaches_planning_is_named() -> None:
    text = "on: push\njobs:\n" + "".join(
        f"  {key}: {{runs-on: x, needs: {need}, steps: [{{run: 'true'}}]}}\n"
        for key, need in ("ab", "bc", "ca")
    )
    parsed = parse_workflow(text)
    assert parsed.workflow is not None
    result = plan_workflow(parsed.workflow, PUSH)
    assert result.plan is None
    assert "`a` -> `b` -> `c` -> `a`" in result.diagnostics[0].message


def test_a_payload_nested_too_deeply_is_refused() -> None:
    payload: dict[str, object] = {}
    for _ in range(200):
        payload = {"x": payload}
    parsed = parse_workflow(f"on: push\njobs:\n  {job('a').replace(chr(10), chr(10) + '  ')}")
    assert parsed.workflow is not None
    with pytest.raises(UsageError, match="payload"):
        plan_workflow(parsed.workflow, Event(name="push", payload=payload))


def test_a_chain_of_two_thousand_jobs_is_planned_and_one_without_end_refused() -> None:
    """A chain of 8,000 jobs has 32 million needs in all and took half a minute."""
    chain = job("j0") + "".join(job(f"j{number}", f"needs: j{number - 1}") for number in range(1, 300))
    assert len(plan_for(chain).jobs) == 300
    workflow = parse_workflow(f"on: push\njobs:\n{textwrap.indent(chain, '  ')}").workflow
    assert workflow is not None
    refused = plan_workflow(workflow, PUSH, limits=PlanLimits(ancestors=1000))
    assert refused.plan is None
    assert [fault.code for fault in refused.diagnostics] == ["too-many-needs"]


def test_skipped_jobs_far_before_still_decide() -> None:
    chain = job("a", "if: false") + job("b", "needs: a")
    chain += job("c", "needs: b", "if: always()") + job("d", "needs: c")
    asking = job("e", "needs: d", "if: success('c')") + job("f", "needs: d", "if: success('a')")
    assert outlooks(chain + asking) == {
        "a": "skipped",
        "b": "skipped",
        "c": "runs",
        "d": "skipped",
        "e": "decided_later",
        "f": "skipped",
    }


def test_a_server_does_not_tell_what_only_a_local_run_leaves_out() -> None:
    keys = ("concurrency: one", "priority: 3", "retry: {max_attempts: 2, log: reset}", "snapshot: image")
    found = plan_for(job("a", *keys)).job("a")
    told = on_a_server(found).notes
    assert len(found.notes) == 4
    assert told == tuple(note for note in found.notes if "`snapshot`" in note)
