"""Whether a job works with the repository's files. One that does not has nothing fetched for it."""

from __future__ import annotations

from pawl.core.model.plan import PlannedJob

CHECKOUT = "actions/checkout@"
_OF_THE_REPOSITORY = (CHECKOUT, "./", "$/")


def needs_files(planned: PlannedJob, path: str) -> bool:
    """Return whether a job may ask for the repository's files.

    Args:
        planned: the job.
        path: of the workflow file.
    """
    uses = tuple(step.uses or "" for step in planned.steps)
    return (
        planned.env_file is not None
        or brings_files(path, uses)
        or any(name.lower().startswith(_OF_THE_REPOSITORY) for name in uses)
    )


def brings_files(path: str, uses: tuple[str, ...]) -> bool:
    """Return whether a job finds the repository's files in its workspace without asking.

    In a file that GitHub would run too (`.github/workflows/`) it does not, as there; elsewhere it does
    (requirement X1), unless a step checks out by itself.
    """
    at_github = path.replace("\\", "/").removeprefix("./").startswith(".github/workflows/")
    return not at_github and not any(name.lower().startswith(CHECKOUT) for name in uses)
