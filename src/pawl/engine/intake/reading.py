"""What a delivery says: whether a forge sent it, the poll found it, or a schedule's time came. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from pawl.core.forges.events import completed
from pawl.core.model.errors import InternalError
from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind, Received
from pawl.core.model.projects import DeliveryRecord, DeliverySource, HeadRecord, Project
from pawl.core.model.refs import is_commit
from pawl.ports.forge import Forge

BY_POLL = "pawl (poll)"
BY_SCHEDULE = "pawl (schedule)"
"""Who did it, where nobody did."""


def poll_body(ref: str, before: str, after: str) -> bytes:
    """Return the body of a delivery that says that a ref moved."""
    return json.dumps({"ref": ref, "before": before, "after": after}).encode()


def schedule_body(path: str, cron: str, zone: str, minute: float) -> bytes:
    """Return the body of a delivery that says that a schedule's time came."""
    return json.dumps({"path": path, "cron": cron, "zone": zone, "minute": minute}).encode()


def read_events(delivery: DeliveryRecord, project: Project, forge: Forge) -> tuple[Event, ...]:
    """Return what happened, in order.

    Raises:
        UsageError: the body is not what it must be.
    """
    match delivery.source:
        case DeliverySource.WEBHOOK:
            hook = forge.read(Received(headers=delivery.headers, body=delivery.body))
            made = hook.events
        case DeliverySource.POLL:
            told = _own(delivery)
            made = (_pushed(project, told),)
        case DeliverySource.SCHEDULE:
            made = (_scheduled(project, _own(delivery)),)
    return tuple(
        replace(completed(each, project.default_branch), repository=project.name, server_url=_server(project))
        for each in made
    )


def scheduled_path(delivery: DeliveryRecord) -> str | None:
    """Return the one workflow that a schedule's delivery is about; None for other deliveries."""
    return str(_own(delivery)["path"]) if delivery.source is DeliverySource.SCHEDULE else None


def heads_told(events: tuple[Event, ...], project: str, delivery: int, now: float) -> tuple[HeadRecord, ...]:
    """Return which refs a delivery says to be at which commit: of branches, tags and pull requests."""
    heads = []
    for event in events:
        sha = event.sha if event.name == "push" else event.head_sha if event.name == "pull_request" else ""
        if is_commit(sha):
            heads.append(HeadRecord(project=project, ref=event.ref, sha=sha, told_at=now, delivery=delivery))
    return tuple(heads)


def _own(delivery: DeliveryRecord) -> Mapping[str, object]:
    told = json.loads(delivery.body)
    if not isinstance(told, dict):
        raise InternalError(f"delivery {delivery.id} does not hold what was put into it")
    return told


def _pushed(project: Project, told: Mapping[str, object]) -> Event:
    ref, before, after = str(told["ref"]), str(told["before"]), str(told["after"])
    return Event(
        name="push",
        ref=ref,
        sha=after,
        before=before,
        repository=project.name,
        default_branch=project.default_branch,
        actor=BY_POLL,
        payload={
            "ref": ref,
            "before": before,
            "after": after,
            "repository": _repository(project),
        },
        provider=_provider(project),
    )


def _scheduled(project: Project, told: Mapping[str, object]) -> Event:
    cron = str(told["cron"])
    return Event(
        name="schedule",
        ref=f"refs/heads/{project.default_branch}",
        sha="",
        repository=project.name,
        default_branch=project.default_branch,
        actor=BY_SCHEDULE,
        schedule=cron,
        payload={"schedule": cron, "repository": _repository(project)},
        provider=_provider(project),
    )


def _provider(project: Project) -> str:
    return "" if project.forge is ForgeKind.GENERIC else project.forge.value


def _server(project: Project) -> str:
    """Return the address of a project's forge, "" where only its ssh address is known."""
    for url in (project.web_url, project.clone_url):
        parts = urlsplit(url)
        if parts.scheme in ("https", "http") and parts.hostname:
            below = parts.path.strip("/").removesuffix(".git").removesuffix(project.name).strip("/")
            return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{'/' if below else ''}{below}"
    return ""


def _repository(project: Project) -> dict[str, object]:
    owner, _, name = project.name.rpartition("/")
    return {
        "full_name": project.name,
        "name": name,
        "owner": {"login": owner},
        "default_branch": project.default_branch,
        "html_url": project.web_url,
        "clone_url": project.clone_url,
    }
