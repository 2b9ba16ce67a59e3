"""What `pawl doctor` looks at: each check returns one line, with the mend where something is wrong."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from enum import StrEnum

from pawl.adapters.runs_folder import LeftWork
from pawl.cli.project import Project
from pawl.cli.settings import Settings
from pawl.cli.settings_file import load_settings
from pawl.cli.terminal.durations import count, show_size
from pawl.core.model.errors import PawlError

_LEAST_PYTHON = (3, 11)
_LOW_DISK = 2_000_000_000


class Mark(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of one check. `mend` says what to do; empty when all is well."""

    name: str
    mark: Mark
    found: str
    mend: str = ""


def check_python() -> Check:
    """Return which Python runs Pawl."""
    found = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info < _LEAST_PYTHON:
        return Check(name="python", mark=Mark.FAIL, found=found, mend="Pawl needs Python 3.11 or later")
    return Check(name="python", mark=Mark.OK, found=found)


def check_git() -> Check:
    """Return whether git is there; without it the working tree is copied as it lies."""
    path = shutil.which("git")
    if path is None:
        mend = "install git: without it .gitignore is not honoured and there is no history in the workspace"
        return Check(name="git", mark=Mark.WARN, found="not found", mend=mend)
    return Check(name="git", mark=Mark.OK, found=path)


def check_settings(project: Project) -> tuple[Check, Settings]:
    """Return whether the settings can be read, and the settings, else the defaults."""
    try:
        settings = load_settings(project)
    except PawlError as error:
        check = Check(name="settings", mark=Mark.FAIL, found=error.message, mend=error.hint or "mend it")
        return check, Settings()
    exists = (project.root / "pawl.toml").exists()
    return Check(name="settings", mark=Mark.OK, found="pawl.toml" if exists else "defaults"), settings


def check_workflows(project: Project) -> Check:
    """Return how many workflow files there are."""
    files = project.workflow_files()
    if not files:
        mend = "`pawl init` writes a starter workflow"
        return Check(name="workflows", mark=Mark.WARN, found=f"none in {project.root}", mend=mend)
    return Check(name="workflows", mark=Mark.OK, found=f"{count(len(files), 'file')} in {project.root}")


def check_disk(project: Project) -> Check:
    """Return how much room there is where runs are kept."""
    free = shutil.disk_usage(project.root).free
    found = f"{show_size(free)} free at {project.root}"
    if free < _LOW_DISK:
        mend = "free some: images and workspaces need gigabytes; run.keep_runs in pawl.toml keeps fewer runs"
        return Check(name="disk", mark=Mark.WARN, found=found, mend=mend)
    if not os.access(project.root, os.W_OK):
        mend = "make the folder writable: runs are kept below it"
        return Check(name="disk", mark=Mark.FAIL, found=f"{project.root} cannot be written", mend=mend)
    return Check(name="disk", mark=Mark.OK, found=found)


def check_folders(left: LeftWork, *, clean: bool) -> Check:
    """Return whether killed runs left the folders of their jobs.

    Args:
        left: what a sweep found.
        clean: whether it removed them.
    """
    folders = count(len(left.found), "folder")
    if not left.found:
        return Check(name="folders", mark=Mark.OK, found="none left behind by killed runs")
    if not clean:
        found = f"{folders} left behind by killed runs in {left.found[0].parent}"
        return Check(name="folders", mark=Mark.WARN, found=found, mend="`pawl doctor --clean` removes them")
    if left.not_removed:
        found = f"not removed: {'; '.join(left.not_removed[:5])}"
        return Check(name="folders", mark=Mark.WARN, found=found, mend="remove them as their owner")
    return Check(name="folders", mark=Mark.OK, found=f"removed {folders} of killed runs")
