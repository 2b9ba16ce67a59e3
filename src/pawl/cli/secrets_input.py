"""Secrets for a local run: from the environment, asked for, or from a file; never on the command line."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from pawl.cli.project import read_text
from pawl.core.model.errors import UsageError
from pawl.engine.execution.environment import parse_env_lines

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def gather_secrets(
    names: Sequence[str], file: Path | None, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return secrets by name: those of the file, then those named.

    A named one comes from the environment variable of that name, else it is asked for on a terminal.

    Raises:
        UsageError: a wrong name or line, or no value and no terminal to ask on.
    """
    secrets = read_secret_file(file) if file is not None else {}
    for name in names:
        if "=" in name:
            raise UsageError(
                f"--secret takes a name, not `{name.partition('=')[0]}=...`",
                hint="a value on the command line can be seen by others: put it into the environment"
                " or a --secret-file",
            )
        if not _NAME.fullmatch(name):
            raise UsageError(f"`{name}` cannot be the name of a secret", hint="letters, digits and `_`")
        value = environment.get(name)
        secrets[name] = value if value is not None else _ask(name)
    return secrets


def _ask(name: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError(
            f"the secret `{name}` is not in the environment, and there is no terminal to ask on",
            hint=f"set {name}, or use --secret-file",
        )
    answer: str = click.prompt(f"Secret {name}", hide_input=True, default="", show_default=False, err=True)
    return answer


def read_secret_file(file: Path) -> dict[str, str]:
    """Return the secrets of a file with a `NAME=value` a line (quotes, `#` comments, as in `.env` files).

    Raises:
        UsageError: it cannot be read, or a line is neither of these; the line's number is told, not its text.
    """
    try:
        text = read_text(file).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"`{file}` is not UTF-8 text") from None
    values, faulty = parse_env_lines(text)
    if faulty:
        raise UsageError(f"{file}:{faulty[0]}: expected NAME=value")
    return values
