"""The settings: one table of what can be set, and the frozen value that the rest reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pawl.core.model.setting import Kind, SettingRule

DEFAULT_LABELS: Mapping[str, str] = {
    "ubuntu-latest": "ghcr.io/catthehacker/ubuntu:act-latest",
    "ubuntu-24.04": "ghcr.io/catthehacker/ubuntu:act-24.04",
    "ubuntu-22.04": "ghcr.io/catthehacker/ubuntu:act-22.04",
    "ubuntu-20.04": "ghcr.io/catthehacker/ubuntu:act-20.04",
    "ubuntu-slim": "ghcr.io/catthehacker/ubuntu:act-latest",
}
"""Images by label of `runs-on`: the medium ones that act's users know, with bash, git, node and sudo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(SettingRule):
    """One thing that can be set; `name` is also its name in `Settings`.

    Attributes:
        section: where it is in pawl.toml.
    """

    section: str

    @property
    def key(self) -> str:
        """Return how people call it: `run.jobs`."""
        return f"{self.section}.{self.name}"


def _setting(section: str, name: str, kind: Kind, summary: str, **more: Any) -> Setting:
    more.setdefault("maximum", math.inf)
    variable = f"PAWL_{name.upper()}"
    return Setting(section=section, name=name, variable=variable, kind=kind, summary=summary, **more)


SETTINGS = (
    _setting(
        section="run",
        name="executor",
        kind="text",
        choices=("auto", "docker", "host"),
        summary="What runs jobs; `auto` takes a container engine when one answers, else the host.",
    ),
    _setting(
        section="run",
        name="jobs",
        kind="integer",
        minimum=1,
        summary="How many jobs run at once; by default as many as there are processors, at most 8.",
    ),
    _setting(
        section="run",
        name="keep_runs",
        kind="integer",
        minimum=1,
        summary="How many runs stay below .pawl/runs; older ones are removed when a new one starts.",
    ),
    _setting(
        section="run",
        name="log_limit_mb",
        kind="integer",
        minimum=1,
        summary="How much of one step's output is stored, in MiB; the step goes on beyond it.",
    ),
    _setting(
        section="run",
        name="output_limit_mb",
        kind="integer",
        minimum=1,
        summary="How much one process may print, in MiB, before it is ended: all of it lies on the disk.",
    ),
    _setting(
        section="run",
        name="strict_variables",
        kind="boolean",
        summary="Whether an undefined `$NAME` in a field of the workflow is an error.",
    ),
    _setting(
        section="run",
        name="job_timeout_minutes",
        kind="number",
        summary="Time limit of a job whose workflow gives none.",
    ),
    _setting(
        section="run",
        name="step_timeout_minutes",
        kind="number",
        summary="Time limit of a step whose workflow gives none; by default only the job's counts.",
    ),
    _setting(
        section="run",
        name="cancel_timeout_minutes",
        kind="number",
        summary="How long a cancelled job's `always()` steps may take.",
    ),
    _setting(
        section="remote",
        name="server",
        kind="text",
        summary="Address of the server that `trigger`, `queue`, `logs` and the like ask.",
    ),
)

TABLES: Mapping[str, str] = {
    "labels": "Label of `runs-on` to image.",
    "variables": "The `vars` context: name to value.",
}
"""Sections that hold any names, each with a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What was set, over the defaults. `jobs` None means by the number of processors."""

    executor: str = "auto"
    jobs: int | None = None
    keep_runs: int = 50
    log_limit_mb: int = 64
    output_limit_mb: int = 4096
    strict_variables: bool = False
    job_timeout_minutes: float = 360
    step_timeout_minutes: float | None = None
    cancel_timeout_minutes: float = 5
    server: str | None = None
    labels: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_LABELS))
    variables: Mapping[str, str] = field(default_factory=dict)
