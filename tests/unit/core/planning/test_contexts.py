from __future__ import annotations

from pawl.core.expressions import ObjectValue, Untrusted, Value, evaluate, is_untrusted
from pawl.core.model.events import Event
from pawl.core.model.plan import Combination, Json
from pawl.core.planning.contexts import (
    DEFAULT_FACTS,
    RunFacts,
    combination_contexts,
    env_context,
    github_context,
    inputs_context,
    literal_environment,
    short_names,
)

FORK = Event(
    name="pull_request",
    action="opened",
    ref="refs/pull/7/merge",
    base_ref="main",
    head_ref="evil`id`",
    from_fork=True,
    repository="ann/site",
    payload={"number": 7, "pull_request": {"title": "T", "head": {"ref": "evil`id`"}}},
)


def github(event: Event, facts: RunFacts = DEFAULT_FACTS) -> ObjectValue:
    return github_context(event, path=".github/workflows/ci.yml", name="CI", inputs={}, facts=facts)


def look(context: ObjectValue, path: str) -> Value:
    return evaluate(f"github.{path}", {"github": context}, trace=False).value


def test_the_github_context_is_complete() -> None:
    context = github(
        Event(name="push", repository="ann/site", sha="a" * 40, actor="ann"), RunFacts(run_id="5")
    )
    expected = {
        "ref": "refs/heads/main",
        "ref_name": "main",
        "ref_type": "branch",
        "sha": "a" * 40,
        "repository": "ann/site",
        "repository_owner": "ann",
        "actor": "ann",
        "triggering_actor": "ann",
        "event_name": "push",
        "workflow": "CI",
        "workflow_ref": "ann/site/.github/workflows/ci.yml@refs/heads/main",
        "run_id": "5",
        "run_number": "1",
        "head_ref": "",
        "base_ref": "",
        "event.repository.default_branch": "main",
        "event.ref": "refs/heads/main",
        "event.after": "a" * 40,
    }
    assert {path: look(context, path) for path in expected} == expected


def test_what_outsiders_write_is_marked() -> None:
    context = github(FORK)
    for path in ("head_ref", "event.pull_request.title", "event.pull_request.head.ref", "ref_name"):
        assert isinstance(look(context, path), Untrusted), path
    for path in ("repository", "sha", "event_name", "workflow"):
        assert not is_untrusted(look(context, path)), path
    assert isinstance(short_names(FORK)["branch"], Untrusted)


def test_the_payload_is_filled_in_but_never_replaced() -> None:
    context = github(FORK)
    assert look(context, "event.number") == 7
    assert look(context, "event.pull_request.base.ref") == "main"
    assert look(context, "event.pull_request.title") == "T"
    assert look(context, "event.pull_request.head.repo.fork") is True


def test_a_push_to_a_branch_is_trusted_but_its_commit_message_is_not() -> None:
    context = github(Event(name="push", payload={"head_commit": {"message": "m"}}))
    assert not is_untrusted(look(context, "ref_name"))
    assert isinstance(look(context, "event.head_commit.message"), Untrusted)


def test_typed_inputs_are_marked_and_shown_as_texts_in_the_event() -> None:
    inputs: dict[str, Json] = {"deploy": True, "name": "x"}
    context = inputs_context(inputs)
    assert context["deploy"] is True
    assert isinstance(context["name"], Untrusted)
    event = github_context(Event(name="workflow_dispatch"), path="w", name="w", inputs=inputs)
    assert look(event, "event.inputs.deploy") == "true"


def test_env_is_case_sensitive() -> None:
    assert evaluate("env.a", {"env": env_context({"A": "1"})}).value is None


def test_without_a_matrix_the_context_is_null_and_strategy_counts_one() -> None:
    contexts = combination_contexts(
        Combination(index=0, total=1, name="a"), fail_fast=True, max_parallel=None
    )
    assert contexts["matrix"] is None
    assert evaluate("strategy.job-total == 1 && strategy.max-parallel == 1", contexts).value is True


def test_only_literal_variables_are_known_beforehand() -> None:
    assert literal_environment({"A": 1, "B": "${{ x }}"}, {"A": "2"}, None, "${{ x }}") == {"A": "2"}
