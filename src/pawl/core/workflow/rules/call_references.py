"""`jobs.<job_id>.uses`: which workflow is meant (GitHub docs, "Reusing workflows", `jobs.<job_id>.uses`)."""

from __future__ import annotations

from collections.abc import Iterator

from pawl.core.diagnostics import Diagnostic
from pawl.core.workflow.rules.subject import Subject, warning

_FOLDER = ".github/workflows/"
_SUFFIXES = (".yml", ".yaml")


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield `call-reference`."""
    for job in subject.jobs:
        reference = job.call.uses if job.call else None
        if reference is None or "${{" in reference.text or not reference.text:
            continue
        problem = _problem(reference.text)
        if problem is not None:
            message = f"found the workflow `{reference.text[:100]}`: {problem}"
            yield warning("call-reference", message, reference.span)


def _problem(text: str) -> str | None:
    if text.startswith(("./", "$/")):
        if "@" in text:
            return "a workflow of the same repository has no `@ref`: it is the one of the same commit"
        return None if text.endswith(_SUFFIXES) else "expected the path of a `.yml` file"
    path, at, ref = text.rpartition("@")
    owner, _, rest = path.partition("/")
    repository, _, file = rest.partition("/")
    if not at or not ref:
        return f"expected `owner/repository/{_FOLDER}file.yml@ref` or `./{_FOLDER}file.yml`"
    if not (owner and repository and file.startswith(_FOLDER) and file.endswith(_SUFFIXES)):
        return (
            f"expected a file in `{_FOLDER}` of a repository: `owner/repository/{_FOLDER}file.yml@{ref[:40]}`"
        )
    return None
