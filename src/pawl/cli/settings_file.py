"""Reading the settings: pawl.toml at the project's root, then PAWL_* from the environment."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pawl.cli.project import Project, read_text
from pawl.cli.settings import DEFAULT_LABELS, SETTINGS, TABLES, Settings
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.model.errors import UsageError

FILE_NAME = "pawl.toml"
_SERVER = "server"
"""The section that `pawl serve` reads; here it is only checked."""
OTHER_VARIABLES: Mapping[str, str] = {
    "PAWL_CONFIG": "Path of the settings file, instead of `pawl.toml` at the project's root.",
    "PAWL_DEBUG": "`1` shows tracebacks with error messages.",
    "PAWL_DATA": "Data folder of this machine's server, instead of `~/.local/share/pawl`.",
    "PAWL_TOKEN": "The token for the server named by `PAWL_SERVER` or `--server`.",
    "PAWL_TOKEN_FILE": "A file with that token.",
    "PAWL_WORK": "Folder in which jobs get their own folders, instead of `~/.cache/pawl/work`.",
}
"""Variables that are no settings of the file."""


def load_settings(project: Project, environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of a project.

    Raises:
        UsageError: the file is no TOML, or has an unknown key or a wrong value (naming the place), or a
            PAWL_* variable of a setting has a wrong value.
    """
    named = environment.get("PAWL_CONFIG")
    path = Path(named) if named else project.root / FILE_NAME
    values: dict[str, Any] = {}
    if named or path.exists():
        values = read_settings(read_text(path), project.shown(path))
    for setting in SETTINGS:
        text = environment.get(setting.variable)
        if text:
            value = setting.read(text)
            if fault := setting.fault(value):
                raise UsageError(f"{setting.variable} is `{text}`: {fault}")
            values[setting.name] = value
    return Settings(**values)


def read_settings(content: bytes, path: str) -> dict[str, Any]:
    """Return the values of a settings file by the field of `Settings` they are for.

    Raises:
        UsageError: as `load_settings`.
    """
    try:
        text = content.decode("utf-8")
        document = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error
    values: dict[str, Any] = {}
    sections = {setting.section for setting in SETTINGS} | set(TABLES) | {_SERVER}
    for section, content_of in document.items():
        if section not in sections:
            hint = did_you_mean(section, sections) or "there are " + ", ".join(
                f"[{s}]" for s in sorted(sections)
            )
            raise UsageError(f"{_place(path, text, None, section)}: unknown section `{section}`", hint=hint)
        if not isinstance(content_of, dict):
            raise UsageError(f"{_place(path, text, None, section)}: `{section}` must be a table: [{section}]")
        if section == _SERVER:
            from pawl.server.settings import check_server_section  # noqa: PLC0415 - few files have the section

            check_server_section(content_of, path)
        elif section in TABLES:
            values[section] = _read_table(section, content_of, path, text)
        else:
            values |= _read_section(section, content_of, path, text)
    if "labels" in values:
        values["labels"] = {**DEFAULT_LABELS, **values["labels"]}
    return values


def _read_section(section: str, content: dict[str, Any], path: str, text: str) -> dict[str, Any]:
    known = {setting.name: setting for setting in SETTINGS if setting.section == section}
    values = {}
    for name, value in content.items():
        place = _place(path, text, section, name)
        if name not in known:
            hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
            raise UsageError(f"{place}: unknown setting `{section}.{name}`", hint=hint)
        if fault := known[name].fault(value):
            raise UsageError(f"{place}: `{section}.{name}` is `{value}`: {fault}")
        values[name] = value
    return values


def _read_table(section: str, content: dict[str, Any], path: str, text: str) -> dict[str, str]:
    for name, value in content.items():
        if not isinstance(value, str) or (section == "labels" and not value.strip()):
            place = _place(path, text, section, name)
            raise UsageError(f'{place}: `{section}.{name}` must be a text: {name} = "..."')
    return content


def _place(path: str, text: str, section: str | None, name: str) -> str:
    """Return `path:line` of a key, or the path alone: tomllib tells no places, so the text is searched."""
    inside = section is None
    key = re.escape(name)
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if stripped.startswith("["):
            inside = section is None or stripped.strip("[] ") == section
            if section is None and stripped.strip("[] ") == name:
                return f"{path}:{number}"
        elif inside and re.match(rf"[\"']?{key}[\"']?\s*[=.]", stripped):
            return f"{path}:{number}"
    return path
