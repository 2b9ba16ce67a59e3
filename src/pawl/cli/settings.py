"""The settings: one table of what can be set, and the frozen value that the rest reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DEFAULT_LABELS: Mapping[str, str] = {
    "ubuntu-latest": "ghcr.io/catthehacker/ubuntu:act-latest",
    "ubuntu-24.04": "ghcr.io/catthehacker/ubuntu:act-24.04",
    "ubuntu-22.04": "ghcr.io/catthehacker/ubuntu:act-22.04",
    "ubuntu-20.04": "ghcr.io/catthehacker/ubuntu:act-20.04",
    "ubuntu-slim": "ghcr.io/catthehacker/ubuntu:act-latest",
}
"""Images by label of `runs-on`: the medium ones that act's users know, with bash, git, node and sudo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that can be set.

    Attributes:
        field: its name in `Settings`.
        section, name: where it is in pawl.toml.
        kind: what it takes; `number` may be a fraction.
        choices: for text, what it may be (empty: anything).
        minimum: for numbers.
        summary: one sentence for the reference.
    """

    field: str
    section: str
    name: str
    kind: Literal["text", "integer", "number", "boolean"]
    summary: str
    choices: tuple[str, ...] = ()
    minimum: float = 0

    @property
    def key(self) -> str:
        """Return how people call it: `run.jobs`."""
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        """Return the environment variable that goes before the file: `PAWL_JOBS`."""
        return f"PAWL_{self.name.upper()}"


SETTINGS = (
    Setting(
        field="executor",
        section="run",
        name="executor",
        kind="text",
        choices=("auto", "docker", "host"),
        summary="What runs jobs; `auto` takes a container engine when one answers, else the host.",
    ),
    Setting(
        field="jobs",
        section="run",
        name="jobs",
        kind="integer",
        minimum=1,
        summary="How many jobs run at once; by default as many as there are processors, at most 8.",
    ),
    Setting(
        field="keep_runs",
        section="run",
        name="keep_runs",
        kind="integer",
        minimum=1,
        summary="How many runs stay below .pawl/runs; older ones are removed when a new one starts.",
    ),
    Setting(
        field="log_limit_mb",
        section="run",
        name="log_limit_mb",
        kind="integer",
        minimum=1,
        summary="How much of one step's output is stored, in MiB; the step goes on beyond it.",
    ),
    Setting(
        field="output_limit_mb",
        section="run",
        name="output_limit_mb",
        kind="integer",
        minimum=1,
        summary="How much one process may print, in MiB, before it is ended: all of it lies on the disk.",
    ),
    Setting(
        field="strict_variables",
        section="run",
        name="strict_variables",
        kind="boolean",
        summary="Whether an undefined `$NAME` in a field of the workflow is an error.",
    ),
    Setting(
        field="job_timeout_minutes",
        section="run",
        name="job_timeout_minutes",
        kind="number",
        summary="Time limit of a job whose workflow gives none.",
    ),
    Setting(
        field="step_timeout_minutes",
        section="run",
        name="step_timeout_minutes",
        kind="number",
        summary="Time limit of a step whose workflow gives none; by default only the job's counts.",
    ),
    Setting(
        field="cancel_timeout_minutes",
        section="run",
        name="cancel_timeout_minutes",
        kind="number",
        summary="How long a cancelled job's `always()` steps may take.",
    ),
    Setting(
        field="server",
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


def check_value(setting: Setting, value: Any) -> str | None:
    """Return what is wrong with `value` for `setting`, or None."""
    match setting.kind:
        case "text":
            if not isinstance(value, str):
                return "expected a text in quotes"
            if setting.choices and value not in setting.choices:
                return "expected one of " + ", ".join(f"`{choice}`" for choice in setting.choices)
            return None
        case "boolean":
            return None if isinstance(value, bool) else "expected true or false"
        case "integer" | "number":
            kinds = int if setting.kind == "integer" else (int, float)
            if isinstance(value, bool) or not isinstance(value, kinds):
                return "expected a whole number" if setting.kind == "integer" else "expected a number"
            # Not `value < minimum`: nan is not a limit either.
            return None if value >= setting.minimum else f"expected at least {setting.minimum:g}"


def read_variable(setting: Setting, text: str) -> Any:
    """Return the value that an environment variable's text stands for; the text itself when it is none."""
    match setting.kind:
        case "text":
            return text
        case "boolean":
            return {"1": True, "true": True, "0": False, "false": False}.get(text.lower(), text)
        case "integer" | "number":
            try:
                return int(text) if setting.kind == "integer" else float(text)
            except ValueError:
                return text
