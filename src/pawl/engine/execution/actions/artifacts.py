"""`actions/upload-artifact` and `actions/download-artifact`, built in: to and from the run's own artifacts.

Inputs are those of their version 4. What concerns GitHub's storage (`retention-days`, `compression-level`,
`github-token`) is accepted and means nothing here.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.engine.execution.actions.checkout import checkout_folder
from pawl.engine.execution.artifacts import check_names, collect_files, keep_artifact, tell_kept
from pawl.engine.execution.bench import Bench
from pawl.engine.execution.folders import open_to_all
from pawl.engine.execution.steps.end import StepEnd
from pawl.engine.execution.steps.place import StepPlace
from pawl.ports.artifacts import ArtifactStore, Manifest

_DEFAULT_NAME = "artifact"


async def run_upload(inputs: Mapping[str, str], place: StepPlace, bench: Bench) -> StepEnd:
    """Keep the files that `path` selects as the artifact `name`.

    Raises:
        UsageError: no `path`, a bad pattern or name, or nothing found where `if-no-files-found` is `error`.
        InfrastructureError: the disk refused.
    """
    name = inputs.get("name", "").strip() or _DEFAULT_NAME
    if not inputs.get("path", "").strip():
        raise UsageError("actions/upload-artifact: `path` is not given")
    machine = bench.machine
    await machine.sandbox.fetch([machine.folder.workspace])
    collected = await asyncio.to_thread(
        collect_files,
        [inputs["path"]],
        machine.folder.workspace,
        inside=machine.sandbox.workspace,
        home=machine.sandbox.home,
        include_hidden=inputs.get("include-hidden-files", "").strip().lower() == "true",
    )
    check_names(name, collected, bench.secrets)
    kept = await asyncio.to_thread(
        keep_artifact,
        bench.outside.artifacts,
        name,
        bench.outside.job,
        collected,
        attempt=bench.outside.attempt,
        replace=inputs.get("overwrite", "").strip().lower() == "true",
    )
    for warning in kept.warnings:
        place.log.write_line(f"##[warning]{warning}")
    if kept.manifest is None:
        return _nothing_found(inputs, place)
    bench.outside.kept(kept.manifest)
    place.log.write_line(tell_kept(kept.manifest))
    return StepEnd(succeeded=True, outputs={"artifact-id": name})


def _nothing_found(inputs: Mapping[str, str], place: StepPlace) -> StepEnd:
    message = f"no files were found for {' '.join(inputs['path'].split())[:200]}"
    match inputs.get("if-no-files-found", "").strip().lower():
        case "error":
            raise UsageError(f"actions/upload-artifact: {message}")
        case "ignore":
            place.log.write_line(f"{message}; nothing is kept")
        case _:
            place.log.write_line(f"##[warning]{message}; nothing is kept")
    return StepEnd(succeeded=True)


async def run_download(inputs: Mapping[str, str], place: StepPlace, bench: Bench) -> StepEnd:
    """Copy artifacts of this run into the workspace: the one called `name`, or those that `pattern` names.

    Raises:
        UsageError: there is no such artifact, it is of another run, or `path` is not below the workspace.
        InfrastructureError: the disk refused.
    """
    for foreign in ("run-id", "repository"):
        given = inputs.get(foreign, "").strip()
        if given and given != place.evaluator.text(f"${{{{ github.{foreign.replace('-', '_')} }}}}"):
            raise UsageError(f"actions/download-artifact: `{foreign}: {given[:100]}` is not this run's")
    wanted = _select(inputs, await asyncio.to_thread(bench.outside.artifacts.manifests))
    folder = checkout_folder(bench.machine.folder.workspace, _relative(inputs.get("path", ""), bench))
    apart = not inputs.get("name", "").strip() and inputs.get("merge-multiple", "").strip().lower() != "true"
    for manifest in wanted:
        target = folder / manifest.name if apart else folder
        await asyncio.to_thread(_copy_out, bench.outside.artifacts, manifest, target, bench)
        if bench.machine.other_user:
            await asyncio.to_thread(open_to_all, target)
        place.log.write_line(f"Copied the artifact {manifest.name}: {len(manifest.files)} files")
    if not wanted:
        place.log.write_line("##[warning]There are no artifacts to copy")
    await bench.machine.sandbox.send([folder])
    path = bench.machine.sandbox.inside(
        bench.machine.folder.workspace / _relative(inputs.get("path", ""), bench)
    )
    return StepEnd(succeeded=True, outputs={"download-path": path})


def _relative(path: str, bench: Bench) -> str:
    """Return a `path` input relative to the workspace; it may be an absolute inside path."""
    inside = bench.machine.sandbox.workspace
    text = path.strip()
    return os.path.relpath(text, inside) if text.startswith("/") else text


def _select(inputs: Mapping[str, str], manifests: Sequence[Manifest]) -> list[Manifest]:
    name, pattern = inputs.get("name", "").strip(), inputs.get("pattern", "").strip()
    if name:
        found = [manifest for manifest in manifests if manifest.name == name]
        if not found:
            known = ", ".join(f"`{manifest.name}`" for manifest in manifests) or "none"
            raise UsageError(
                f"actions/download-artifact: there is no artifact `{name[:100]}` in this run",
                hint=f"there is {known}; does this job need the one that keeps it?",
            )
        return found
    return [manifest for manifest in manifests if not pattern or fnmatchcase(manifest.name, pattern)]


def _copy_out(store: ArtifactStore, manifest: Manifest, folder: Path, bench: Bench) -> None:
    """Copy an artifact's files below `folder`; the workspace is hostile, so no link is written through."""
    root = bench.machine.folder.workspace.resolve()
    try:
        for file in manifest.files:
            target = folder / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.parent.resolve().is_relative_to(root):
                raise UsageError(
                    f"actions/download-artifact: a link leads {target.name} out of the workspace"
                )
            target.unlink(missing_ok=True)
            shutil.copyfile(store.open_path(manifest.name, file.name), target, follow_symlinks=False)
            target.chmod(0o666)
    except OSError as error:
        raise InfrastructureError(f"cannot copy the artifact {manifest.name}: {error.strerror}") from error
