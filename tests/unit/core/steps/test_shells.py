"""Shells: the process that runs a script."""

from __future__ import annotations

import pytest

from pawl.core.model.errors import UsageError
from pawl.core.steps.shells import MAX_SHELL, ShellKind, shell_command, shell_kind


@pytest.mark.parametrize(
    ("shell", "in_container", "available", "argv"),
    [
        (None, False, {"bash", "sh"}, ("bash", "-e", "{0}")),
        (None, False, {"sh"}, ("sh", "-e", "{0}")),
        (None, True, {"bash", "sh"}, ("sh", "-e", "{0}")),
        ("", True, {"bash"}, ("sh", "-e", "{0}")),
        ("bash", True, {"bash"}, ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "{0}")),
        ("sh", False, {"sh"}, ("sh", "-e", "{0}")),
        ("python", False, set(), ("python", "{0}")),
        ("pwsh", False, set(), ("pwsh", "-command", ". '{0}'")),
        ("perl -w {0} x", False, set(), ("perl", "-w", "{0}", "x")),
    ],
)
def test_each_shell_has_its_process(
    shell: str | None, in_container: bool, available: set[str], argv: tuple[str, ...]
) -> None:
    assert shell_command(shell, in_container=in_container, available=available).argv == argv


def test_the_script_stands_for_its_place() -> None:
    command = shell_command("pwsh", in_container=False, available=())

    assert command.argv_for("/tmp/a b.ps1") == ("pwsh", "-command", ". '/tmp/a b.ps1'")


@pytest.mark.parametrize("shell", ["perl", "bash -x", " bash {0}", "x 'open {0}", "x {0}" + "y" * MAX_SHELL])
def test_what_is_neither_built_in_nor_a_template_is_refused(shell: str) -> None:
    with pytest.raises(UsageError):
        shell_command(shell, in_container=False, available={"bash"})


def test_a_script_is_fitted_to_its_shell() -> None:
    assert shell_command("cmd", in_container=False, available=()).fix_up("x") == "@echo off\nx"
    assert shell_command("bash", in_container=False, available=()).fix_up("x") == "x"


@pytest.mark.parametrize(
    ("shell", "kind"),
    [
        (None, ShellKind.SH),
        ("bash -leo pipefail {0}", ShellKind.BASH),
        ("/usr/bin/bash {0}", ShellKind.BASH),
        ("nu {0}", ShellKind.CUSTOM),
    ],
)
def test_the_language_is_told_by_the_program(shell: str | None, kind: ShellKind) -> None:
    assert shell_kind(shell) is kind
