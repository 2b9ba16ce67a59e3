"""Approvals: what waits for a person, and what people say to it; and the environments that ask for them."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from pawl.core.model.approvals import Approval, BranchRule, Environment
from pawl.core.model.errors import UsageError
from pawl.core.model.plain import to_plain
from pawl.core.model.plan import Json
from pawl.engine.control.approvals import LONGEST_COMMENT, MOST_LISTED, Decision
from pawl.engine.control.environments import LONGEST_WAIT, EnvironmentChange
from pawl.server.answers import answer
from pawl.server.log_lines import say
from pawl.server.requests import Fields, number_in, read_json, run_of
from pawl.server.routes import Body, Call, Caller, Handler, Route

_LONGEST_NAME = 300


def _approval(approval: Approval) -> dict[str, Json]:
    plain = to_plain(approval)
    return plain if isinstance(plain, dict) else {}


async def _waiting(call: Call) -> Response:
    limit = max(1, number_in(call.request.query_params, "limit", MOST_LISTED, most=MOST_LISTED))
    found = await call.services.control.approvals.waiting(limit)
    return answer({"approvals": [_approval(each) for each in found]})


async def _of_run(call: Call) -> Response:
    found = await call.services.control.approvals.of_run(run_of(call.request))
    return answer({"approvals": [_approval(each) for each in found]})


async def _approve(call: Call) -> Response:
    return await _decide(call, approve=True)


async def _reject(call: Call) -> Response:
    return await _decide(call, approve=False)


async def _decide(call: Call, *, approve: bool) -> Response:
    fields = Fields(await read_json(call.request, Body.SMALL.value))
    attempt = fields.number("attempt", 0, least=0, most=10**9)
    decision = Decision(
        run=run_of(call.request),
        approve=approve,
        by=call.by,
        environment=fields.text("environment", "", most=_LONGEST_NAME),
        comment=fields.text("comment", "", most=LONGEST_COMMENT),
        attempt=attempt or None,
    )
    fields.done()
    decided = await call.services.control.approvals.decide(decision)
    found = decided.approval
    said = "approved" if approve else "rejected"
    say(f"run {said}", run=found.run, environment=found.environment, by=call.by, again=decided.repeated)
    call.services.counting.runs(found.run)
    return answer({**_approval(found), "repeated": decided.repeated})


def _environment(environment: Environment) -> dict[str, Json]:
    plain = to_plain(environment)
    return plain if isinstance(plain, dict) else {}


async def _environments(call: Call) -> Response:
    found = await call.services.control.environments.of_project(_project(call))
    return answer({"environments": [_environment(each) for each in found]})


async def _change(call: Call) -> Response:
    fields = Fields(await read_json(call.request, Body.SMALL.value))
    project = fields.text("project", most=_LONGEST_NAME)
    rule = fields.text("rule", "", most=40)
    wait = fields.number("wait_minutes", -1, least=0, most=int(LONGEST_WAIT))
    wanted = EnvironmentChange(
        reviewers=fields.list_of_texts("reviewers"),
        prevent_self_review=fields.maybe_flag("prevent_self_review"),
        wait_minutes=float(wait) if wait >= 0 else None,
        rule=_rule(rule) if rule else None,
        branches=fields.list_of_texts("branches"),
        tags=fields.list_of_texts("tags"),
    )
    fields.done()
    made = await call.services.control.environments.change(project, _name(call), wanted, by=call.by)
    return answer(_environment(made))


def _rule(text: str) -> BranchRule:
    try:
        return BranchRule(text)
    except ValueError:
        known = ", ".join(f"`{each}`" for each in BranchRule)
        raise UsageError(f"`rule` of the body is `{text}`: expected one of {known}") from None


async def _remove(call: Call) -> Response:
    await call.services.control.environments.remove(_project(call), _name(call), by=call.by)
    return answer({})


def _name(call: Call) -> str:
    name: str = call.request.path_params["environment"]
    return name


def _project(call: Call) -> str:
    return call.request.query_params.get("project", "")


_WHOSE = {"project": "Whose: `owner/name`."}
_DECISION: Json = {"environment": "production", "comment": "looks good", "attempt": 1}


def _route(method: str, path: str, caller: Caller, handler: Handler, summary: str, **more: Any) -> Route:
    return Route(method=method, path=path, caller=caller, handler=handler, summary=summary, **more)


ROUTES = (
    _route(
        "GET",
        "/api/approvals",
        Caller.READ,
        _waiting,
        "Lists what waits for approval.",
        query={"limit": f"How many, at most {MOST_LISTED}."},
    ),
    _route(
        "GET",
        "/api/runs/{run}/approvals",
        Caller.READ,
        _of_run,
        "Lists a run's approvals: who decided, or which rule exempted it.",
    ),
    _route(
        "POST",
        "/api/runs/{run}/approve",
        Caller.USER,
        _approve,
        "Lets a run from a fork begin, or its jobs in to an environment.",
        body=Body.SMALL,
        example=_DECISION,
    ),
    _route(
        "POST",
        "/api/runs/{run}/reject",
        Caller.USER,
        _reject,
        "Ends a run from a fork, or the jobs that wait for an environment.",
        body=Body.SMALL,
        example=_DECISION,
    ),
    _route(
        "GET",
        "/api/environments",
        Caller.READ,
        _environments,
        "Lists a project's environments and what protects them.",
        query=_WHOSE,
    ),
    _route(
        "PUT",
        "/api/environments/{environment:path}",
        Caller.ADMIN,
        _change,
        "Makes an environment, or changes what the body names of it.",
        body=Body.SMALL,
        example={
            "project": "acme/site",
            "reviewers": ["ann"],
            "prevent_self_review": True,
            "wait_minutes": 10,
            "rule": "patterns",
            "branches": ["main", "release/**"],
            "tags": ["v*"],
        },
    ),
    _route(
        "DELETE",
        "/api/environments/{environment:path}",
        Caller.ADMIN,
        _remove,
        "Removes an environment: it protects nothing any more.",
        query=_WHOSE,
    ),
)
