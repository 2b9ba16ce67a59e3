"""`actions/checkout`, built in: the repository's files into the workspace.

In a local run the files are those of the working tree, with what is not committed yet. What of the inputs
(`fetch-depth`, `sparse-checkout`, ...) the source of a run does not do, it tells.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path

from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.steps.checkout import Checkout, read_checkout
from pawl.engine.execution.bench import Bench
from pawl.engine.execution.folders import JobFolder, open_to_all
from pawl.engine.execution.steps.end import StepEnd
from pawl.engine.execution.steps.place import StepPlace
from pawl.ports.source import Source, SourceState


async def run_checkout(inputs: Mapping[str, str], place: StepPlace, bench: Bench) -> StepEnd:
    """Fill the workspace, or the folder `path` in it, and return `ref` and `commit` as outputs.

    Raises:
        UsageError: another repository or another commit than the run's own, or a path outside the workspace.
        InfrastructureError: the files cannot be copied.
    """
    log = place.log
    read = read_checkout(inputs)
    for remark in read.remarks:
        log.write_line(f"##[warning]{remark}")
    source = bench.outside.source
    state = await source.state()
    repository, ref = str(place.evaluator.text("${{ github.repository }}")), inputs.get("ref", "").strip()
    _check_no_key(inputs)
    _check_is_own(inputs.get("repository", "").strip(), {repository, state.repository})
    if not _is_current(ref, state, str(place.evaluator.text("${{ github.ref }}"))):
        source = await _elsewhere(source, ref, state)
        state = await source.state()
    for remark in source.remarks(read.wanted):
        log.write_line(remark)
    folder = checkout_folder(bench.machine.folder.workspace, inputs.get("path", ""))
    if bench.outside.bound:
        log.write_line("The workspace is your own folder (--bind): nothing is copied, nothing is cleaned")
    else:
        count = await fill(source, folder, wanted=read.wanted, for_all=bench.machine.other_user)
        log.write_line(f"Copied {count} files of {state.repository}{_described(state)}")
        trust_workspace(bench.machine.folder)
        await bench.machine.sandbox.send([folder])
    outputs = {"ref": ref or str(place.evaluator.text("${{ github.ref }}")), "commit": state.sha}
    return StepEnd(succeeded=True, outputs=outputs)


async def fill(source: Source, folder: Path, *, wanted: Checkout | None = None, for_all: bool = False) -> int:
    """Empty `folder` and put the source's files in it, `for_all` users to write; return how many.

    Raises:
        InfrastructureError: they cannot be copied.
    """
    try:
        await asyncio.to_thread(_make_empty, folder)
        count = await source.copy_to(folder, wanted=wanted)
        if for_all:
            await asyncio.to_thread(open_to_all, folder)
    except OSError as error:
        raise InfrastructureError(f"cannot copy the repository's files: {error.strerror}") from error
    return count


def checkout_folder(workspace: Path, path: str) -> Path:
    """Return the folder that the input `path` names.

    Raises:
        UsageError: it is not below the workspace.
    """
    root = workspace.resolve()
    folder = (root / path).resolve() if path else root
    if not folder.is_relative_to(root):
        raise UsageError(f"actions/checkout: `path: {path[:100]}` is not below the workspace")
    return folder


def trust_workspace(folder: JobFolder) -> None:
    """Let the job's git trust a workspace that another user owns (actions/checkout: `set-safe-directory`)."""
    home = folder.root / "home"
    config = home / ".gitconfig"
    if home.is_dir() and not home.is_symlink() and not config.is_symlink() and not config.exists():
        config.write_text("[safe]\n\tdirectory = *\n", encoding="utf-8")


def _make_empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _check_no_key(inputs: Mapping[str, str]) -> None:
    if inputs.get("ssh-key", "").strip():
        raise UsageError(
            "actions/checkout: `ssh-key` is not taken: files are fetched over https",
            hint="give a token with `token`, or leave both out: the run's own credentials are used",
        )


def _check_is_own(wanted: str, own: set[str]) -> None:
    if wanted and wanted.lower() not in {name.lower() for name in own}:
        raise UsageError(
            f"actions/checkout: `repository: {wanted[:100]}` is another repository",
            hint="a run has the files of its own only: leave the input out, or clone the other in a step",
        )


def _is_current(ref: str, state: SourceState, event_ref: str) -> bool:
    current = {state.sha, state.branch, state.tag, event_ref, "HEAD"}
    for name in (state.branch, state.tag):
        current |= {f"refs/heads/{name}", f"refs/tags/{name}"} if name else set()
    short = event_ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    is_sha = len(ref) >= 7 and state.sha.startswith(ref.lower())
    return not ref or is_sha or ref in current | {short}


async def _elsewhere(source: Source, ref: str, state: SourceState) -> Source:
    other = await source.at(ref)
    if other is None:
        raise UsageError(
            f"actions/checkout: `ref: {ref[:100]}` is not what the run's files stand at",
            hint=f"leave the input out, or start a run at it (now: {state.branch or state.sha[:12]})",
        )
    return other


def _described(state: SourceState) -> str:
    at = f" at {state.sha[:12]}" if state.sha.strip("0") else ""
    return f"{at}{' with uncommitted changes' if state.dirty and at else ''}"
