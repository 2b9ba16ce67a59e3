"""Writing the configuration of a repository that a job gets."""

from __future__ import annotations

from collections.abc import Mapping


def config_text(settings: Mapping[str, str]) -> str:
    """Return a configuration file of an ordinary repository with these settings, by their full names."""
    known = {"core.repositoryformatversion": "0", "core.bare": "false", **settings}
    lines = []
    for name, value in known.items():
        section, _, rest = name.partition(".")
        middle, _, key = rest.rpartition(".")
        header = f"[{section} {_quoted(middle)}]" if middle else f"[{section}]"
        lines += [header, f"\t{key} = {_quoted(value)}"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
