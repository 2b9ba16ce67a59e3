"""Artifacts: listing and downloading. A file is found by its record, never by a path."""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import Response

from pawl.core.model.errors import NotFound
from pawl.core.model.plain import to_plain
from pawl.server.answers import Span, answer, bytes_answer, unsatisfiable
from pawl.server.requests import run_of
from pawl.server.routes import Call, Caller, Route


async def _list(call: Call) -> Response:
    found = await call.services.control.artifacts.of_run(run_of(call.request))
    return answer({"artifacts": [to_plain(each) for each in found]})


async def _file(call: Call) -> Response:
    run, path = run_of(call.request), call.request.path_params
    artifacts = call.services.control.artifacts
    record = await artifacts.get(run, path["name"])
    entry = next((each for each in record.files if each.name == path["file"]), None)
    if entry is None:
        raise NotFound(f"the artifact `{record.name}` has no file `{path['file'][:200]}`")
    etag = f'"{entry.sha256}"'
    if call.request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    span = Span(call.request.headers.get("range"), entry.size)
    if not span.fits:
        return unsatisfiable(span)
    _, chunks = await artifacts.read(run, record.name, entry.name, span.start, span.end)
    shown = quote(entry.name.rpartition("/")[2], safe="")
    # Never shown by a browser as a page of this server: a job made it.
    headers = {
        "ETag": etag,
        "Content-Disposition": f"attachment; filename*=UTF-8''{shown}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return bytes_answer(chunks, span, "application/octet-stream", headers)


ROUTES = (
    Route(
        method="GET",
        path="/api/runs/{run}/artifacts",
        caller=Caller.READ,
        handler=_list,
        summary="Lists a run's artifacts with their files.",
    ),
    Route(
        method="GET",
        path="/api/runs/{run}/artifacts/{name}/{file:path}",
        caller=Caller.READ,
        handler=_file,
        summary="Gives a file of an artifact; takes one range.",
        answer="application/octet-stream",
    ),
)
