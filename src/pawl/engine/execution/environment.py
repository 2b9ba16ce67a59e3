"""The environment of a step: who sets what, and who wins.

Low to high: the image or the machine < Pawl's own variables < `env` of the workflow < of the job < what
earlier steps wrote to GITHUB_ENV < `env` of the step (actions/runner StepsRunner.cs; requirement L5).
The `GITHUB_*` and `RUNNER_*` names that Pawl sets cannot be taken over (GitHub documentation, "Default
environment variables"; actions/runner Handler.cs lays them over everything); `CI` can.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pawl.core.model.plan import Json
from pawl.core.steps.env_files import extend_path

GITHUB_VARIABLES = (
    "action", "action_path", "action_ref", "action_repository", "actor", "actor_id", "api_url", "base_ref",
    "env", "event_name", "event_path", "graphql_url", "head_ref", "job", "output", "path", "ref", "ref_name",
    "ref_protected", "ref_type", "repository", "repository_id", "repository_owner", "repository_owner_id",
    "retention_days", "run_attempt", "run_id", "run_number", "server_url", "sha", "state", "step_summary",
    "triggering_actor", "workflow", "workflow_ref", "workflow_sha", "workspace",
)  # fmt: skip
"""The properties of the `github` context that are also variables (actions/runner GitHubContext.cs)."""

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What PATH is where nobody says: Docker's own default."""

_OURS = ("GITHUB_", "RUNNER_")


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedEnvironment:
    """What steps hand to the steps after them: GITHUB_ENV and GITHUB_PATH. `folders` come before PATH."""

    variables: Mapping[str, str]
    folders: tuple[str, ...] = ()

    def with_variables(self, added: Mapping[str, str]) -> SharedEnvironment:
        """Return it with `added` set."""
        return replace(self, variables={**self.variables, **added}) if added else self

    def with_folders(self, added: Iterable[str]) -> SharedEnvironment:
        """Return it with `added` put before PATH, the last one first."""
        return replace(self, folders=extend_path(self.folders, added))


def system_variables(
    github: Mapping[str, str | None], runner: Mapping[str, str], matrix: Mapping[str, Json]
) -> dict[str, str]:
    """Return what Pawl itself sets for every step: `CI`, `GITHUB_*`, `RUNNER_*` and `MATRIX_<AXIS>`."""
    variables = {"CI": "true", "GITHUB_ACTIONS": "true", "PAWL": "true"}
    for name in GITHUB_VARIABLES:
        value = github.get(name)
        if value is not None:
            variables[f"GITHUB_{name.upper()}"] = value
    variables.update({f"RUNNER_{name.upper()}": value for name, value in runner.items()})
    return {**matrix_variables(matrix), **variables}


def matrix_variables(matrix: Mapping[str, Json]) -> dict[str, str]:
    """Return `MATRIX_<AXIS>` for every axis with a plain value; objects by `MATRIX_<AXIS>_<KEY>`.

    The axis is in capitals, everything but letters and digits becomes `_` (requirement L8).
    """
    found: dict[str, str] = {}
    for axis, value in matrix.items():
        name = "MATRIX_" + re.sub(r"[^A-Z0-9]", "_", axis.upper())
        if isinstance(value, dict):
            inner = matrix_variables(value)
            found.update({name + key.removeprefix("MATRIX"): text for key, text in inner.items()})
        elif not isinstance(value, list):
            found[name] = _plain_text(value)
    return found


def _plain_text(value: bool | float | str | None) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def step_environment(
    system: Mapping[str, str], context: Mapping[str, str], shared: SharedEnvironment, inherited_path: str
) -> dict[str, str]:
    """Return the whole environment of one step's process.

    Args:
        system: Pawl's own variables, the step's file commands included.
        context: the `env` context as the step sees it, GITHUB_ENV and its own `env` included.
        shared: for the folders that come before PATH.
        inherited_path: PATH where nobody changed it: the image's or the machine's.
    """
    kept = {name: value for name, value in system.items() if name.startswith(_OURS)}
    merged = {**system, **context, **kept}
    path = context.get("PATH") or inherited_path
    if shared.folders:
        merged["PATH"] = ":".join([*shared.folders, path])
    return merged


def parse_env_lines(text: str) -> tuple[dict[str, str], list[int]]:
    """Return the variables of an `env_file` and the numbers of lines that are none, from 1.

    One `NAME=VALUE` a line; blank lines and lines that begin with `#` are skipped; `export ` before the name
    and one pair of quotes around the value are taken off; nothing is expanded (requirement L5: one pass).
    """
    variables: dict[str, str] = {}
    wrong: list[int] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,255}", name):
            wrong.append(number)
            continue
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        variables[name] = value[1:-1] if quoted else value
    return variables, wrong
