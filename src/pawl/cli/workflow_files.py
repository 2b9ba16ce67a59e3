"""Workflow files of a project, read and parsed; chosen by path or name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pawl.cli.findings.checked import CheckedFile
from pawl.cli.project import Project, no_workflows, read_text
from pawl.core.diagnostics import has_errors
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.model.errors import UsageError
from pawl.core.workflow.parse import parse_workflow
from pawl.core.workflow.syntax import Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowFile:
    """One workflow file; `workflow` is None where errors leave nothing to run."""

    path: Path
    checked: CheckedFile
    workflow: Workflow | None

    @property
    def is_valid(self) -> bool:
        """Return whether it can run."""
        return self.workflow is not None and not has_errors(self.checked.diagnostics)

    @property
    def name(self) -> str:
        """Return the name it shows, its path where it gives none."""
        if self.workflow is not None and self.workflow.name is not None:
            return self.workflow.name.text
        return self.checked.path


def read_workflow(project: Project, path: Path) -> WorkflowFile:
    """Return a workflow file, parsed.

    Raises:
        UsageError: it cannot be read.
    """
    content = read_text(path)
    shown = project.shown(path)
    parsed = parse_workflow(content, shown, called=_called_files(project))
    text = content.decode("utf-8-sig", "replace")
    checked = CheckedFile(path=shown, text=text, diagnostics=parsed.diagnostics)
    return WorkflowFile(path=path, checked=checked, workflow=parsed.workflow)


def _called_files(project: Project) -> dict[str, str]:
    """Return the texts of the project's own workflows by the reference that `uses:` gives."""
    texts = {}
    for path in project.workflow_files():
        try:
            texts[f"./{project.shown(path)}"] = read_text(path).decode("utf-8-sig", "replace")
        except UsageError:
            continue  # it is reported when it is looked at itself
    return texts


def find_workflow(project: Project, wanted: str) -> WorkflowFile:
    """Return the workflow that `wanted` means: a path, a file's name with or without ending, or a name.

    Raises:
        UsageError: there is none, or several have that name.
    """
    path = Path(wanted)
    if path.is_file():
        return read_workflow(project, path)
    files = project.workflow_files()
    by_file = [each for each in files if wanted in {each.name, each.stem, project.shown(each)}]
    if len(by_file) == 1:
        return read_workflow(project, by_file[0])
    if path.suffix in {".yml", ".yaml"}:
        return read_workflow(project, path)  # which says what is wrong with it
    parsed = read_all(project)
    named = [each for each in parsed if each.name.casefold() == wanted.casefold()]
    if len(named) == 1:
        return named[0]
    if len(named) > 1:
        paths = ", ".join(f"`{each.checked.path}`" for each in named)
        raise UsageError(f"several workflows are called `{wanted}`: {paths}", hint="name one by its path")
    names = [each.name for each in parsed] + [each.stem for each in files]
    listed = ", ".join(f"`{each.name}`" for each in parsed)
    raise UsageError(
        f"there is no workflow `{wanted}`", hint=did_you_mean(wanted, names) or f"there are {listed}"
    )


def read_all(project: Project) -> tuple[WorkflowFile, ...]:
    """Return all workflow files of the project.

    Raises:
        UsageError: there is none, or one cannot be read.
    """
    files = project.workflow_files()
    if not files:
        raise no_workflows(project)
    return tuple(read_workflow(project, path) for path in files)
