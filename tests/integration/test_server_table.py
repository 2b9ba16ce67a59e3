"""The table of routes: nothing is served that does not say who may call it, and all of it is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.responses import Response

from pawl.core.model.errors import InternalError
from pawl.core.model.setting import SettingRule
from pawl.server.application import all_routes
from pawl.server.metrics import Metrics
from pawl.server.routes import Call, Caller, Route, check_routes
from pawl.server.settings import SERVER_SETTINGS, ServerSettings

ROUTES = all_routes("0")
REFERENCE = Path(__file__).resolve().parents[2] / "docs/reference"


async def _nothing(_: Call) -> Response:
    return Response()


def _route(method: str, path: str, caller: object) -> Route:
    return Route(method=method, path=path, caller=caller, handler=_nothing, summary="")


@pytest.mark.parametrize(
    "route",
    [
        _route("GET", "/api/x", None),
        _route("GET", "/api/x", "everybody"),
        _route("POST", "/api/x", Caller.NONE),
        _route("GET", "/worker/v1/x", Caller.USER),
        _route("GET", "/api/x", Caller.WORKER),
        _route("POST", "/api/x", Caller.WEBHOOK),
        _route("POST", "/webhooks/x", Caller.USER),
    ],
)
def test_a_route_that_does_not_say_who_may_call_it_keeps_the_server_from_starting(route: Route) -> None:
    with pytest.raises(InternalError, match="route"):
        check_routes([route])


def test_every_route_is_checked_and_only_these_are_for_anybody() -> None:
    check_routes(ROUTES)
    assert {route.path for route in ROUTES if route.caller is Caller.NONE} == {
        "/health",
        "/ready",
        "/api/openapi.json",
    }
    assert {route.caller for route in ROUTES if route.path.startswith("/worker/")} == {Caller.WORKER}
    webhooks = {(route.method, route.caller) for route in ROUTES if route.path.startswith("/webhooks/")}
    assert webhooks == {("POST", Caller.WEBHOOK)}
    assert all(route.caller is not Caller.READ for route in ROUTES if route.method != "GET")


def test_every_route_stands_in_the_reference() -> None:
    page = "".join((REFERENCE / name).read_text("utf-8") for name in ("api.md", "notifications.md"))
    missing = [
        route.name
        for route in ROUTES
        if f"| `{route.method}` | `{route.shown_path}` | {route.caller} |" not in page
    ]
    assert missing == []


def test_every_metric_stands_in_the_reference() -> None:
    told = set(re.findall(r"^# TYPE (\w+) ", Metrics("0").text().decode(), re.MULTILINE))
    page = (REFERENCE / "metrics.md").read_text("utf-8")
    assert [name for name in sorted(told) if f"| `{name}" not in page] == []


@pytest.mark.parametrize("rule", SERVER_SETTINGS, ids=lambda rule: rule.name)
def test_every_setting_stands_in_the_reference(rule: SettingRule) -> None:
    page = (REFERENCE / "server.md").read_text("utf-8")
    row = re.search(
        rf"^\| `server\.{rule.name}` \| `{rule.variable}` \| (.+?) \| (.+?) \|$", page, re.MULTILINE
    )
    assert row is not None
    assert row[2] == rule.summary
    default = getattr(ServerSettings(), rule.name)
    if rule.name not in {"data", "workers"}:
        assert row[1] == (_shown(default) if default not in ("", ()) else "none")


def _shown(value: object) -> str:
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def test_no_setting_of_the_reference_is_unknown() -> None:
    page = (REFERENCE / "server.md").read_text("utf-8")
    told = re.findall(r"^\| `server\.(\w+)` \| `PAWL_", page, re.MULTILINE)
    assert told == [rule.name for rule in SERVER_SETTINGS]
