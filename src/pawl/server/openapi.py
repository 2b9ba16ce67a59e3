"""The OpenAPI document, made of the table of routes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pawl.server.routes import Body, Caller, Route
from pawl.wire import PROBLEM_TYPE


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of a table of routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.shown_path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pawl", "version": version},
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token: `pawl_` and 64 hex."}
            },
            "schemas": {"Problem": _PROBLEM},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{route.shown_path}").strip("_"),
        "summary": route.summary,
        "x-pawl-caller": route.caller.value,
        "security": [] if route.caller in {Caller.NONE, Caller.WEBHOOK} else [{"token": []}],
        "parameters": [*_in_path(route), *_in_query(route)],
        "responses": {
            str(route.status): {"description": "Done.", "content": {route.answer: {}}},
            "default": {
                "description": "A problem.",
                "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
    }
    if route.body is not Body.NONE:
        kind = "application/octet-stream" if route.body in (Body.STREAM, Body.REPORT) else "application/json"
        content: dict[str, Any] = {"schema": {"type": "object"}} if kind == "application/json" else {}
        if route.example is not None:
            content["example"] = route.example
        told["requestBody"] = {"content": {kind: content}}
    return told


def _in_path(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", route.shown_path)
    ]


def _in_query(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
        for name, text in route.query.items()
    ]


_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string", "description": "How to mend it."},
        "size": {"type": "integer", "description": "Bytes that the server has, of an offset conflict."},
        "retry_after": {"type": "number", "description": "Seconds after which to ask again."},
    },
}
