"""The contexts of expressions, built from facts: `github`, `inputs`, `needs`, `strategy`, `matrix`, more.

Source: GitHub documentation, "Contexts reference". What an outsider may have written is marked (M8): the
whole event payload, `head_ref`, the values typed into a dispatch form, and for pull requests and forks also
the names of refs and people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pawl.core.expressions import ObjectValue, Untrusted, Value, to_text, to_value
from pawl.core.expressions.values import keep_trust
from pawl.core.model.events import Event
from pawl.core.model.ids import JobKey
from pawl.core.model.needs import NeedResult
from pawl.core.model.plan import Combination, Json, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What the `github` context says about the run and where it happens.

    Attributes:
        more: further entries, or other values for known ones (`workspace`, `token`, `action`, `event_path`).
    """

    run_id: str = "1"
    run_number: int = 1
    run_attempt: int = 1
    server_url: str = "https://github.com"
    api_url: str = "https://api.github.com"
    graphql_url: str = "https://api.github.com/graphql"
    retention_days: int = 90
    ref_protected: bool = False
    more: Mapping[str, Value] = field(default_factory=dict)


DEFAULT_FACTS = RunFacts()


def is_outsiders(event: Event) -> bool:
    """Return whether somebody without write access may have chosen the names in the event."""
    return event.from_fork or event.name.startswith(("pull_request", "issue", "discussion", "fork", "watch"))


def github_context(
    event: Event,
    *,
    path: str,
    name: str,
    inputs: Mapping[str, Json],
    facts: RunFacts = DEFAULT_FACTS,
    job: JobKey | None = None,
) -> ObjectValue:
    """Return the `github` context.

    Args:
        event: what happened.
        path: of the workflow file, relative to the repository's root.
        name: the workflow's display name.
        inputs: typed dispatch inputs; `github.event.inputs` shows them as texts.
        facts: about the run.
        job: the running job's key; left out at workflow level.
    """
    outside = is_outsiders(event)
    ref = keep_trust(event.ref, outside)
    ref_name = keep_trust(event.ref_name, outside)
    actor = keep_trust(event.actor, outside)
    owner = event.repository.split("/", 1)[0]
    entries: dict[str, Value] = {
        "token": "",
        "ref": ref,
        "sha": event.sha,
        "repository": event.repository,
        "repository_owner": owner,
        "repository_id": _id(event.payload, "repository", "id"),
        "repository_owner_id": _id(event.payload, "repository", "owner", "id"),
        "repositoryUrl": _repository_url(event, facts),
        "run_id": facts.run_id,
        "run_number": str(facts.run_number),
        "run_attempt": str(facts.run_attempt),
        "retention_days": str(facts.retention_days),
        "artifact_cache_size_limit": "10",
        "actor": actor,
        "actor_id": _id(event.payload, "sender", "id"),
        "triggering_actor": actor,
        "workflow": name,
        "head_ref": Untrusted(event.head_ref) if event.head_ref else "",
        "base_ref": keep_trust(event.base_ref, outside),
        "event_name": event.name,
        "event": to_value(complete_payload(event, inputs), untrusted=True),
        "server_url": event.server_url or facts.server_url,
        "api_url": facts.api_url,
        "graphql_url": facts.graphql_url,
        "ref_name": ref_name,
        "ref_protected": facts.ref_protected,
        "ref_type": "tag" if event.tag is not None else "branch",
        "secret_source": "None" if event.from_fork else "Actions",
        "workflow_ref": f"{event.repository}/{path}@{event.ref}",
        "workflow_sha": event.sha,
        **({"job": str(job)} if job is not None else {}),
    }
    return ObjectValue({**entries, **facts.more})


def _repository_url(event: Event, facts: RunFacts) -> str:
    server = event.server_url or facts.server_url
    return f"{server.replace('https://', 'git://', 1)}/{event.repository}.git"


def _id(payload: Mapping[str, object], *path: str) -> str:
    """Return a numeric id of the payload as text, `''` when it is not there."""
    found: object = payload
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else ""


def complete_payload(event: Event, inputs: Mapping[str, Json]) -> dict[str, object]:
    """Return the payload with the parts filled in that workflows rely on and the event knows otherwise.

    What the forge sent is never replaced. Source of the shape: GitHub, webhook events and payloads.
    """
    owner, _, short = event.repository.partition("/")
    repository: dict[str, object] = {
        "name": short,
        "full_name": event.repository,
        "default_branch": event.default_branch,
        "owner": {"login": owner, "name": owner},
    }
    made: dict[str, object] = {"repository": repository, "sender": {"login": event.actor}}
    if event.action is not None:
        made["action"] = event.action
    if event.name == "push":
        made |= {"ref": event.ref, "after": event.sha, "pusher": {"name": event.actor}}
        made |= {"head_commit": {"id": event.sha}, "created": False, "deleted": False, "forced": False}
    elif event.name in {"workflow_dispatch", "repository_dispatch"}:
        made["ref"] = event.ref
    elif event.name == "schedule" and event.schedule is not None:
        made["schedule"] = event.schedule
    elif event.name.startswith("pull_request"):
        made["pull_request"] = _pull_request(event, repository)
    if event.name == "workflow_dispatch":
        made["inputs"] = {key: _input_text(value) for key, value in inputs.items()}
    return _merged(made, event.payload)


def _pull_request(event: Event, repository: dict[str, object]) -> dict[str, object]:
    return {
        "base": {"ref": event.base_ref, "repo": repository},
        "head": {"ref": event.head_ref, "sha": event.sha, "repo": {**repository, "fork": event.from_fork}},
        "user": {"login": event.actor},
        "draft": False,
        "merged": False,
        "labels": [],
    }


def _merged(made: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    merged = dict(made)
    for key, value in given.items():
        mine = merged.get(key)
        both = isinstance(mine, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(mine, value) if both else value  # type: ignore[arg-type]  # both are mappings
    return merged


def _input_text(value: Json) -> object:
    return str(value).lower() if isinstance(value, bool) else value if value is None else str(value)


def inputs_context(inputs: Mapping[str, Json]) -> ObjectValue:
    """Return the `inputs` context: typed; texts are marked, because anybody may have typed them."""
    return ObjectValue({key: to_value(value, untrusted=True) for key, value in inputs.items()})


def vars_context(variables: Mapping[str, str]) -> ObjectValue:
    """Return the `vars` context."""
    return ObjectValue(dict(variables))


def env_context(env: Mapping[str, str]) -> ObjectValue:
    """Return the `env` context: case-sensitive (actions/runner, StepsRunner.cs), keeping the taint."""
    return ObjectValue(dict(env), case_sensitive=True)


def needs_context(needs: Mapping[JobKey, NeedResult]) -> ObjectValue:
    """Return the `needs` context: result and outputs of the direct needs."""
    return ObjectValue(
        {
            str(key): ObjectValue((("result", need.result.as_result), ("outputs", _outputs(need))))
            for key, need in needs.items()
        }
    )


def _outputs(need: NeedResult) -> ObjectValue:
    return ObjectValue(
        {name: keep_trust(value, name in need.untrusted) for name, value in need.outputs.items()}
    )


def matrix_context(combination: Combination) -> Value:
    """Return the `matrix` context; null without a matrix, as in the runner."""
    values = combination.values
    return to_value(dict(values), untrusted=combination.untrusted) if values else None


def strategy_context(combination: Combination, *, fail_fast: bool, max_parallel: int | None) -> ObjectValue:
    """Return the `strategy` context; without a limit `max-parallel` is the number of jobs."""
    return ObjectValue(
        {
            "fail-fast": fail_fast,
            "job-index": float(combination.index),
            "job-total": float(combination.total),
            "max-parallel": float(max_parallel or combination.total),
        }
    )


def short_names(event: Event) -> dict[str, Value]:
    """Return the contexts `branch`, `event` and `tag` of conditions (L7); empty text where there is none."""
    outside = is_outsiders(event)
    return {
        "branch": keep_trust(event.branch or event.base_ref, outside),
        "event": event.name,
        "tag": keep_trust(event.tag or "", outside),
    }


def workflow_contexts(plan: Plan, facts: RunFacts = DEFAULT_FACTS) -> dict[str, Value]:
    """Return what every place of a workflow sees: `github`, `inputs`, `vars`."""
    return _plan_contexts(plan, facts, None)


def job_contexts(
    plan: Plan, job: JobKey, needs: Mapping[JobKey, NeedResult], facts: RunFacts = DEFAULT_FACTS
) -> dict[str, Value]:
    """Return what a job's keys see before its matrix is expanded: `github`, `inputs`, `vars`, `needs`."""
    return {**_plan_contexts(plan, facts, job), "needs": needs_context(needs)}


def _plan_contexts(plan: Plan, facts: RunFacts, job: JobKey | None) -> dict[str, Value]:
    github = github_context(
        plan.event, path=plan.path, name=plan.name, inputs=plan.inputs, facts=facts, job=job
    )
    return {
        "github": github,
        "inputs": inputs_context(plan.inputs),
        "vars": vars_context(plan.variables),
    }


def combination_contexts(
    combination: Combination, *, fail_fast: bool, max_parallel: int | None
) -> dict[str, Value]:
    """Return what a combination adds: `strategy` and `matrix`."""
    return {
        "strategy": strategy_context(combination, fail_fast=fail_fast, max_parallel=max_parallel),
        "matrix": matrix_context(combination),
    }


def literal_environment(*levels: Json) -> dict[str, str]:
    """Return the variables of `env` mappings that hold no expression, later levels on top of earlier ones."""
    found: dict[str, str] = {}
    for level in levels:
        for name, value in level.items() if isinstance(level, dict) else ():
            if not isinstance(value, list | dict) and not (isinstance(value, str) and "${{" in value):
                found[name] = to_text(to_value(value))
    return found
