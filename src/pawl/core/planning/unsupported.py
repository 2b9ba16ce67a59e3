"""What a job asks for that this version of Pawl parses and checks but does not do: a sentence each.

Nothing is silently ignored: `plan` and `run` show these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pawl.core.model.plan import Json, PlannedJob, PlannedStep
from pawl.core.workflow.syntax import Job

_HOSTED_ELSEWHERE = ("windows", "macos")
_BUILT_IN_ACTIONS = frozenset({"actions/checkout", "actions/upload-artifact", "actions/download-artifact"})


def unsupported_features(planned: PlannedJob) -> tuple[str, ...]:
    """Return a sentence, without a full stop, for everything that keeps the job from running as written."""
    return tuple(dict.fromkeys(_features(planned)))


def differences(job: Job, planned: PlannedJob) -> tuple[str, ...]:
    """Return a sentence for everything without which the job runs all the same."""
    found = []
    if planned.environment is not None:
        name = _shown(planned.environment)
        found.append(f"it deploys to environment {name}; approval gates of environments do not exist yet")
    if job.snapshot is not None:
        found.append("`snapshot` makes an image of a hosted runner; it is not made here")
    return tuple(found)


def _features(planned: PlannedJob) -> Iterator[str]:
    if planned.uses is not None:
        yield f"it calls the reusable workflow `{planned.uses}`; reusable workflows do not run yet"
    for label in _labels(planned.runs_on):
        if label.lower().startswith(_HOSTED_ELSEWHERE):
            yield f"it runs on `{label}`; only Linux runs yet"
    yield from _steps(planned.steps)


def _shown(environment: Json) -> str:
    name = environment.get("name") if isinstance(environment, dict) else environment
    return f"`{name}`"


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
    return uses.startswith(("./", "$/", "docker://")) or name in _BUILT_IN_ACTIONS
