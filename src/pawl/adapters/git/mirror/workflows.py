"""Reading workflow files out of a commit; no working tree is ever made (reliability.md R47)."""

from __future__ import annotations

from contextlib import aclosing

from pawl.adapters.git.calling import Git
from pawl.adapters.git.mirror.limits import MirrorLimits
from pawl.adapters.git.objects import LINK, SUBMODULE, Entry, entries, open_objects
from pawl.core.model.errors import TooLarge, UsageError
from pawl.core.workflow.files import WORKFLOW_FOLDERS, is_workflow_path, workflows_in_order
from pawl.ports.mirrors import WorkflowText

# A path names the entry itself, which may be a link; with a slash at its end, what is below it.
_ASKED = tuple(
    sorted({form for path in WORKFLOW_FOLDERS for form in (path.partition("/")[0], path, f"{path}/")})
)
_LOOKED_AT = 100_000


async def read_workflows(git: Git, sha: str, limits: MirrorLimits) -> tuple[WorkflowText, ...]:
    """Return the workflow files of a commit, in order.

    Raises:
        TooLarge: a file is too large, or there are too many.
        UsageError: one is a link, a submodule, or no UTF-8.
        GitError: the commit cannot be read.
    """
    found = await _find(git, sha, limits)
    if not found:
        return ()
    async with open_objects(git) as objects:
        texts = [(path, await objects.get(found[path].id)) for path in workflows_in_order(found)]
    return tuple(WorkflowText(path=path, text=_text(path, content)) for path, content in texts)


async def _find(git: Git, sha: str, limits: MirrorLimits) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    looked_at = 0
    async with aclosing(entries(git, sha, "--", *_ASKED)) as listed:
        async for entry in listed:
            looked_at += 1
            is_workflow = is_workflow_path(entry.path)
            if is_workflow or entry.path in _ASKED:
                _check(entry, limits)
            if is_workflow and entry.is_file:
                found[entry.path] = entry
            if len(found) > limits.workflows or looked_at > _LOOKED_AT:
                raise TooLarge(f"There are more than {limits.workflows} workflow files in the commit")
    return found


def _check(entry: Entry, limits: MirrorLimits) -> None:
    kind = {LINK: "symbolic link", SUBMODULE: "submodule"}.get(entry.mode)
    shown = entry.path.encode("utf-8", "replace").decode("utf-8", "replace")[:200]
    if kind is not None:
        raise UsageError(f"`{shown}` is a {kind}", hint="commit the workflow file itself")
    if entry.size > limits.workflow_size:
        raise TooLarge(f"`{shown}` has more than {limits.workflow_size} bytes")


def _text(path: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"`{path}` is no UTF-8 text: byte {error.start + 1} is {content[error.start]:#04x}",
            hint="save it as UTF-8",
        ) from None
