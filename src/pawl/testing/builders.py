"""Making what tests need: plans from workflow text, sources from a few files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pawl.core.diagnostics import has_errors
from pawl.core.model.events import Event
from pawl.core.model.plan import Plan
from pawl.core.planning.plan import plan_workflow
from pawl.core.steps.checkout import Checkout
from pawl.core.workflow.parse import parse_workflow
from pawl.ports.source import SourceState

GITHUB_FILE = ".github/workflows/ci.yml"
OWN_FILE = ".ci.yml"


def make_plan(
    text: str,
    *,
    path: str = GITHUB_FILE,
    event: Event | None = None,
    inputs: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
) -> Plan:
    """Return the plan of a workflow text.

    Raises:
        ValueError: the text has errors; they are in the message.
    """
    parsed = parse_workflow(text, path)
    if parsed.workflow is None or has_errors(parsed.diagnostics):
        raise ValueError(_told(parsed.diagnostics))
    planned = plan_workflow(
        parsed.workflow, event or Event(name="push"), inputs=inputs or {}, variables=variables or {}
    )
    if planned.plan is None:
        raise ValueError(_told(planned.diagnostics))
    return planned.plan


def _told(diagnostics: object) -> str:
    return f"the workflow cannot be used: {diagnostics}"


class FileSource:
    """A source of a few files, given as text by path; executable when the path ends in `.sh`."""

    def __init__(self, files: Mapping[str, str], state: SourceState | None = None) -> None:
        """Take the files and what the source says it stands at."""
        self._files = dict(files)
        self._state = state or SourceState(
            sha="1" * 40,
            branch="main",
            tag=None,
            dirty=False,
            repository="local/repository",
            default_branch="main",
        )

    async def state(self) -> SourceState:
        """Return what it stands at."""
        return self._state

    async def changed_files(self, base: str | None) -> tuple[str, ...] | None:  # noqa: ARG002 - the port's
        """Return None: nothing is known."""
        return None

    async def copy_to(
        self,
        folder: Path,
        *,
        subfolder: str = "",
        wanted: Checkout | None = None,  # noqa: ARG002 - the port's
    ) -> int:
        """Write the files and return how many there are."""
        prefix = f"{subfolder}/" if subfolder else ""
        chosen = {name: text for name, text in self._files.items() if name.startswith(prefix)}
        for name, text in chosen.items():
            path = folder / name.removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            if name.endswith(".sh"):
                path.chmod(0o755)
        return len(chosen)

    async def at(self, ref: str) -> None:
        """Return None: these are all its files."""

    def remarks(self, wanted: Checkout) -> tuple[str, ...]:  # noqa: ARG002 - the port's
        """Return nothing."""
        return ()
