"""Projects: the repositories that the server works for. Secrets go in and never come out."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

from starlette.responses import Response

from pawl.core.model.errors import UsageError
from pawl.core.model.forge import ForgeKind
from pawl.core.model.plan import Json
from pawl.core.model.projects import ForkPolicy, Project
from pawl.engine.intake import ProjectChange
from pawl.server.answers import answer
from pawl.server.requests import Fields, read_json
from pawl.server.routes import Body, Call, Caller, Handler, Route

_TEXTS = ("clone_url", "default_branch", "api_url", "web_url", "user", "app_id", "context")
_MOST_SECONDS = 7 * 86_400
E = TypeVar("E", bound=StrEnum)


def _project(project: Project) -> dict[str, Json]:
    """Return what may be shown of a project: of its secrets only which it has."""
    return {
        "name": project.name,
        "forge": project.forge.value,
        "clone_url": project.clone_url,
        "created_at": project.created_at,
        "default_branch": project.default_branch,
        "api_url": project.api_url,
        "web_url": project.web_url,
        "user": project.user,
        "app_id": project.app_id,
        "context": project.context,
        "forks": project.forks.value,
        "poll_seconds": project.poll_seconds,
        "active": project.active,
        "share_token": project.share_token,
        "secrets": [*sorted(project.secrets)],
        "webhook": f"/webhooks/{project.forge.value}/{project.name}",
    }


async def _list(call: Call) -> Response:
    return answer({"projects": [_project(each) for each in await call.services.intake.projects.all()]})


async def _get(call: Call) -> Response:
    return answer(_project(await call.services.intake.projects.get(_name(call))))


async def _create(call: Call) -> Response:
    fields = Fields(await read_json(call.request, Body.SMALL.value))
    name = fields.text("name", most=300)
    made, hook = await call.services.intake.projects.create(name, _change(fields), by=call.by)
    return answer({**_project(made), "hook_secret": hook}, 201, {"Location": f"/api/projects/{made.name}"})


async def _update(call: Call) -> Response:
    wanted = _change(Fields(await read_json(call.request, Body.SMALL.value)))
    return answer(_project(await call.services.intake.projects.change(_name(call), wanted, by=call.by)))


async def _remove(call: Call) -> Response:
    await call.services.intake.projects.remove(_name(call), by=call.by)
    return answer({})


def _name(call: Call) -> str:
    name: str = call.request.path_params["project"]
    return name


def _change(fields: Fields) -> ProjectChange:
    given: dict[str, Any] = {name: fields.text(name, "\0", most=2000) for name in _TEXTS}
    poll = fields.number("poll_seconds", -1, least=0, most=_MOST_SECONDS)
    change = ProjectChange(
        **{name: value for name, value in given.items() if value != "\0"},
        forge=_word(ForgeKind, fields.text("forge", "", most=40), "forge"),
        forks=_word(ForkPolicy, fields.text("forks", "", most=40), "forks"),
        poll_seconds=float(poll) if poll >= 0 else None,
        active=fields.maybe_flag("active"),
        share_token=fields.maybe_flag("share_token"),
        secrets=fields.texts("secrets"),
    )
    fields.done()
    return change


def _word(kind: type[E], text: str, name: str) -> E | None:
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(f"`{each}`" for each in kind)
        raise UsageError(f"`{name}` of the body is `{text[:40]}`: expected one of {known}") from None


_EXAMPLE: Json = {
    "name": "acme/site",
    "forge": "github",
    "clone_url": "https://github.com/acme/site.git",
    "secrets": {"token": "…"},
}


def _route(method: str, path: str, handler: Handler, summary: str, **more: Any) -> Route:
    return Route(method=method, path=path, caller=Caller.ADMIN, handler=handler, summary=summary, **more)


ROUTES = (
    _route("GET", "/api/projects", _list, "Lists the projects, never their secrets."),
    _route(
        "POST",
        "/api/projects",
        _create,
        "Adds a project; the secret of its webhook is shown this once.",
        body=Body.SMALL,
        example=_EXAMPLE,
        status=201,
    ),
    _route("GET", "/api/projects/{project:path}", _get, "Gives a project."),
    _route(
        "PATCH",
        "/api/projects/{project:path}",
        _update,
        "Changes what the body names of a project.",
        body=Body.SMALL,
        example={"poll_seconds": 60, "secrets": {"hook": "…"}},
    ),
    _route(
        "DELETE",
        "/api/projects/{project:path}",
        _remove,
        "Removes a project, its secrets too.",
    ),
)
