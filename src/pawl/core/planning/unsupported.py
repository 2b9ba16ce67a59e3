"""What a job asks for that this version of Pawl parses and checks but does not do: a sentence each.

Nothing is silently ignored: `plan` and `run` show these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pawl.core.model.plan import Json, PlannedJob, PlannedStep
from pawl.core.workflow.container_options import parse_container_options
from pawl.core.workflow.container_volumes import is_machine_folder
from pawl.core.workflow.syntax import Job

_HOSTED_ELSEWHERE = ("windows", "macos")
BUILT_IN_ACTIONS = frozenset({"actions/checkout", "actions/upload-artifact", "actions/download-artifact"})
"""Actions that Pawl has itself, by name in lower case."""


_GROUPS = "concurrency groups are kept by the server only; a local run does not wait for others"
_PRIORITY = "`priority` orders the server's queue; in a local run it means nothing"
_LOG_TEXTS = "`retry.log` is looked for by the server only; a local run does not try again because of it"
_ENVIRONMENTS = "environments are protected by the server only; a local run asks nobody"
_OF_LOCAL_RUNS = frozenset({_GROUPS, _PRIORITY, _LOG_TEXTS, _ENVIRONMENTS})


def unsupported_features(planned: PlannedJob) -> tuple[str, ...]:
    """Return a sentence, without a full stop, for everything that keeps the job from running as written."""
    return tuple(dict.fromkeys(_features(planned)))


def differences(job: Job, planned: PlannedJob, shared_concurrency: Json = None) -> tuple[str, ...]:
    """Return a sentence for everything without which the job runs all the same; `run` announces them too.

    Args:
        job: as written.
        planned: the same as planned.
        shared_concurrency: the workflow's own group; given with the first job only, it is told once.
    """
    return tuple(_differences(job, planned, shared_concurrency))


def on_a_server(planned: PlannedJob) -> PlannedJob:
    """Return a job without the notes that are of local runs only."""
    return replace(planned, notes=tuple(note for note in planned.notes if note not in _OF_LOCAL_RUNS))


def _differences(job: Job, planned: PlannedJob, shared_concurrency: Json) -> Iterator[str]:
    if planned.concurrency is not None or shared_concurrency is not None:
        yield _GROUPS
    if planned.environment is not None:
        yield _ENVIRONMENTS
    if planned.priority is not None:
        yield _PRIORITY
    if planned.retry is not None and planned.retry.log:
        yield _LOG_TEXTS
    if isinstance(planned.runs_on, dict) and planned.runs_on.get("group") is not None:
        group = planned.runs_on["group"]
        yield f"the runner group `{group}` is not looked at; only labels choose where it runs"
    if job.snapshot is not None:
        yield "`snapshot` makes an image of a hosted runner; it is not made here"


def _features(planned: PlannedJob) -> Iterator[str]:
    if planned.uses is not None:
        yield f"it calls the reusable workflow `{planned.uses}`; reusable workflows do not run yet"
    for label in _labels(planned.runs_on):
        if label.lower().startswith(_HOSTED_ELSEWHERE):
            yield f"it runs on `{label}`; only Linux runs yet"
    yield from _container(planned.container, "`container`")
    services = planned.services if isinstance(planned.services, dict) else {}
    for name, service in services.items():
        yield from _container(service, f"`services.{name}`")
    yield from _steps(planned.steps)


def _container(container: Json, where: str) -> Iterator[str]:
    """Yield what is refused of a container; what an expression makes is only known when the job starts."""
    fields = container if isinstance(container, dict) else {}
    options, volumes = fields.get("options"), fields.get("volumes")
    if isinstance(options, str) and "${{" not in options:
        for problem in parse_container_options(options).problems:
            named = f"the option `{problem.option}` " if problem.option else ""
            yield f"{where}: {named}{problem.message}"
    for volume in volumes if isinstance(volumes, list) else ():
        if isinstance(volume, str) and "${{" not in volume and is_machine_folder(volume):
            yield f"{where}: the volume `{volume[:100]}` is a folder of the machine, which jobs do not get"


def _labels(runs_on: Json) -> Iterator[str]:
    match runs_on:
        case str():
            yield runs_on
        case list():
            yield from (item for item in runs_on if isinstance(item, str))
        case dict():
            yield from _labels(runs_on.get("labels"))
        case _:
            pass


def _steps(steps: Sequence[PlannedStep]) -> Iterator[str]:
    for step in steps:
        if step.kind in {"parallel", "wait", "cancel"}:
            yield f"line {step.line}: `{step.kind}` steps do not run yet"
        if step.background:
            yield f"line {step.line}: `background` steps do not run yet"
        if step.uses is not None and not is_runnable_action(step.uses):
            yield f"line {step.line}: `{step.uses}` is a remote action; these do not run yet"


def is_runnable_action(uses: str) -> bool:
    """Return whether this version runs the action: built in, in the repository, or a container image."""
    name = uses.split("@", 1)[0].lower()
    return uses.startswith(("./", "$/", "docker://")) or name in BUILT_IN_ACTIONS
