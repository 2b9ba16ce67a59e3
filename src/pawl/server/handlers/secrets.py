"""Secrets and variables. A secret goes in and never comes out: no route reads one."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from pawl.core.model.plan import Json
from pawl.core.model.secrets import SecretUse, ValueScope, VariableRecord
from pawl.core.secrets.names import MAX_BYTES
from pawl.engine.control.secrets import KnownSecret
from pawl.server.answers import answer
from pawl.server.requests import Fields, read_json
from pawl.server.routes import Body, Call, Caller, Handler, Route

_LONGEST_NAME = 300


def _secret(known: KnownSecret) -> dict[str, Json]:
    return {
        "project": known.scope.project,
        "environment": known.scope.environment,
        "name": known.name,
        "version": known.version,
        "updated_at": known.updated_at,
        "updated_by": known.updated_by,
        "used_at": known.used_at,
    }


def _use(use: SecretUse) -> dict[str, Json]:
    return {
        "run": use.attempt.run,
        "job": use.attempt.job,
        "attempt": use.attempt.attempt,
        "name": use.name,
        "project": use.scope.project,
        "environment": use.scope.environment,
        "version": use.version,
        "used_at": use.used_at,
    }


def _variable(variable: VariableRecord) -> dict[str, Json]:
    return {
        "project": variable.scope.project,
        "environment": variable.scope.environment,
        "name": variable.name,
        "value": variable.value,
        "updated_at": variable.updated_at,
        "updated_by": variable.updated_by,
    }


async def _list(call: Call) -> Response:
    return answer({"secrets": [_secret(each) for each in await call.services.control.secrets.list()]})


async def _set(call: Call) -> Response:
    scope, name, value = await _wanted(call)
    known = await call.services.control.secrets.set(scope, name, value, by=call.by)
    return answer(_secret(known))


async def _remove(call: Call) -> Response:
    await call.services.control.secrets.remove(_scope(call), _name(call), by=call.by)
    return answer({})


async def _uses(call: Call) -> Response:
    return answer({"uses": [_use(each) for each in await call.services.control.secrets.uses(_name(call))]})


async def _rotate(call: Call) -> Response:
    return answer({"sealed": await call.services.control.resealing.renew(by=call.by)})


async def _variables(call: Call) -> Response:
    found = await call.services.control.secrets.variables()
    return answer({"variables": [_variable(each) for each in found]})


async def _set_variable(call: Call) -> Response:
    scope, name, value = await _wanted(call)
    return answer(_variable(await call.services.control.secrets.set_variable(scope, name, value, by=call.by)))


async def _remove_variable(call: Call) -> Response:
    await call.services.control.secrets.remove_variable(_scope(call), _name(call), by=call.by)
    return answer({})


async def _wanted(call: Call) -> tuple[ValueScope, str, str]:
    fields = Fields(await read_json(call.request, Body.VALUE.value))
    value = fields.text("value", most=MAX_BYTES)
    scope = ValueScope(
        project=fields.text("project", "", most=_LONGEST_NAME),
        environment=fields.text("environment", "", most=_LONGEST_NAME),
    )
    fields.done()
    return scope, _name(call), value


def _scope(call: Call) -> ValueScope:
    query = call.request.query_params
    return ValueScope(project=query.get("project", ""), environment=query.get("environment", ""))


def _name(call: Call) -> str:
    name: str = call.request.path_params["name"]
    return name


_WHOSE = {
    "project": "Whose it is; without, everybody's.",
    "environment": "Of the project; without, all its jobs have it.",
}
_EXAMPLE: Json = {"value": "…", "project": "acme/site", "environment": "production"}


def _route(method: str, path: str, handler: Handler, summary: str, **more: Any) -> Route:
    more.setdefault("caller", Caller.ADMIN)
    return Route(method=method, path=path, handler=handler, summary=summary, **more)


ROUTES = (
    _route("GET", "/api/secrets", _list, "Lists the names of secrets and when each was used; no values."),
    _route(
        "PUT", "/api/secrets/{name}", _set, "Sets a secret; nothing ever gives it back.",
        body=Body.VALUE, example=_EXAMPLE,
    ),
    _route(
        "POST", "/api/secrets/rotate-key", _rotate,
        "Makes a new key and seals all secrets under it; says how many.",
    ),
    _route("DELETE", "/api/secrets/{name}", _remove, "Removes a secret.", query=_WHOSE),
    _route(
        "GET", "/api/secrets/{name}/uses", _uses,
        "Lists which attempts were given secrets of that name, newest first.",
    ),
    _route("GET", "/api/variables", _variables, "Lists the variables.", caller=Caller.READ),
    _route(
        "PUT", "/api/variables/{name}", _set_variable, "Sets a variable.", body=Body.VALUE, example=_EXAMPLE
    ),
    _route("DELETE", "/api/variables/{name}", _remove_variable, "Removes a variable.", query=_WHOSE),
)  # fmt: skip
