"""Check runs of GitHub, for GitHub Apps only. Source: GitHub REST API documentation, "Check runs".

Which check run is ours is asked each time, so that several servers, and one that was started again, agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from pawl.adapters.forge_github.api import Api, repository_path
from pawl.core.forges.answers import shortened
from pawl.core.model.forge import Annotation, CommitState, CommitStatus, ForgeAccess

_CONCLUSIONS = {
    CommitState.SUCCESS: "success",
    CommitState.SKIPPED: "skipped",
    CommitState.FAILURE: "failure",
    CommitState.ERROR: "failure",
    CommitState.CANCELLED: "cancelled",
}
_STATUSES = {CommitState.PENDING: "queued", CommitState.RUNNING: "in_progress"}
_ANNOTATIONS_A_CALL = 50
_LONGEST_TITLE = 255
_LONGEST_TEXT = 60_000


async def report_check(api: Api, access: ForgeAccess, token: str, status: CommitStatus) -> None:
    """Make or change the check run of this name; raises as `Forge.report`.

    One that has ended stays, and a new one is made, when the work begins again. Of annotations, only those
    are sent that are not there yet: GitHub adds what it gets to what it has.
    """
    what = f"setting a check of {access.repository} at GitHub"
    runs = f"{repository_path(access)}/check-runs"
    found = await _ours(api, access, token, status)
    done = _annotations_of(found) if found else 0
    pages = _pages(status.annotations[done:])
    if found is None or _begins_again(found, status):
        made = await api.call(
            access,
            token,
            "POST",
            runs,
            {"head_sha": status.sha, **_body(status, _first(_pages(status.annotations)))},
            what=what,
        )
        number, pages = made.member("id"), _pages(status.annotations)
    elif pages or not _is_told(found, status):
        number = found.get("id")
        await api.call(access, token, "PATCH", f"{runs}/{number}", _body(status, _first(pages)), what=what)
    for page in pages[1:]:
        await api.call(access, token, "PATCH", f"{runs}/{number}", _body(status, page), what=what)


async def _ours(
    api: Api, access: ForgeAccess, token: str, status: CommitStatus
) -> Mapping[str, object] | None:
    """Return the newest check run of this App and name at the commit."""
    query = f"check_name={quote(_name(status), safe='')}&filter=latest&app_id={quote(access.app_id, safe='')}"
    path = f"{repository_path(access)}/commits/{quote(status.sha, safe='')}/check-runs?{query}"
    reply = await api.call(
        access, token, "GET", path, what=f"asking for checks of {access.repository} at GitHub"
    )
    runs = reply.member("check_runs")
    found = [run for run in runs if isinstance(run, dict)] if isinstance(runs, list) else []
    return max(found, key=_number, default=None)


def _number(run: Mapping[str, object]) -> int:
    number = run.get("id")
    return number if isinstance(number, int) else 0


def _output_of(run: Mapping[str, object]) -> Mapping[str, object]:
    output = run.get("output")
    return output if isinstance(output, dict) else {}


def _annotations_of(run: Mapping[str, object]) -> int:
    count = _output_of(run).get("annotations_count")
    return count if isinstance(count, int) else 0


def _begins_again(run: Mapping[str, object], status: CommitStatus) -> bool:
    return run.get("status") == "completed" and status.state in _STATUSES


def _is_told(run: Mapping[str, object], status: CommitStatus) -> bool:
    """Return whether the check run says all this already."""
    wanted = _body(status, ())
    output = _output_of(run)
    said = wanted["output"]
    return (
        run.get("status") == wanted["status"]
        and run.get("conclusion") == wanted.get("conclusion")
        and run.get("details_url") == wanted.get("details_url")
        and isinstance(said, dict)
        and all(output.get(key) == said[key] for key in ("title", "summary"))
    )


def _name(status: CommitStatus) -> str:
    return shortened(status.context, _LONGEST_TITLE)


def _body(status: CommitStatus, annotations: Sequence[Annotation]) -> dict[str, object]:
    title = shortened(status.description or status.state.value, _LONGEST_TITLE)
    output: dict[str, object] = {"title": title, "summary": status.description[:_LONGEST_TEXT] or title}
    if annotations:
        output["annotations"] = [_annotation(each) for each in annotations]
    body: dict[str, object] = {"name": _name(status), "output": output}
    if status.url:
        body["details_url"] = status.url
    if status.started_at is not None:
        body["started_at"] = _time(status.started_at)
    conclusion = _CONCLUSIONS.get(status.state)
    if conclusion is None:
        return {**body, "status": _STATUSES[status.state]}
    if status.completed_at is not None:
        body["completed_at"] = _time(status.completed_at)
    return {**body, "status": "completed", "conclusion": conclusion}


def _annotation(told: Annotation) -> dict[str, object]:
    return {
        "path": told.path,
        "start_line": max(told.line, 1),
        "end_line": max(told.end_line or told.line, told.line, 1),
        "annotation_level": told.level,
        "message": told.message[:_LONGEST_TEXT] or told.title or told.level,
        **({"title": shortened(told.title, _LONGEST_TITLE)} if told.title else {}),
    }


def _pages(annotations: Sequence[Annotation]) -> list[Sequence[Annotation]]:
    size = _ANNOTATIONS_A_CALL
    return [annotations[start : start + size] for start in range(0, len(annotations), size)]


def _first(pages: list[Sequence[Annotation]]) -> Sequence[Annotation]:
    return pages[0] if pages else ()


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
