"""Whatever a variable's name and value, the process gets them unchanged (reliability R22)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.adapters.executor_docker.supervisor import check_environment, quote, start_script

_TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=30)
_NAMES = st.one_of(
    _TEXT.filter(lambda name: name and "=" not in name and not name.startswith("-")),
    st.sampled_from(
        ["IFS", "OPTIND", "PPID", "UID", "BASH_ENV", "ENV", "LC_ALL", "PS4", "a-b", "INPUT_A B", "HOME"]
    ),
)
_SHELLS = [path for path in ("/bin/dash", "/bin/bash", "/usr/bin/busybox") if Path(path).exists()]


@pytest.mark.parametrize("shell", _SHELLS)
@settings(max_examples=60, deadline=None)
@given(env=st.dictionaries(_NAMES, _TEXT, max_size=6), words=st.lists(_TEXT, max_size=3))
def test_variables_and_arguments_arrive(shell: str, env: dict[str, str], words: list[str]) -> None:
    program = sys.executable  # not "python3": that may be a shell script that uses variables itself
    show = "import os,sys; print(ascii((dict(os.environb), [*map(os.fsencode, sys.argv[1:])])))"
    folder, identity = "/dev/shm", f"pawl-test-{os.getpid()}"
    script = start_script(folder, identity, [program, "-ISc", show, *words], env, "/")
    argv = [shell, *(["sh"] if "busybox" in shell else []), "-c", script.decode()]
    said = subprocess.run(argv, capture_output=True, check=True, env={"PATH": "/usr/bin:/bin"})
    Path(folder, f"{identity}.began").unlink()
    got, arguments = eval(said.stdout)  # noqa: S307 - our own program's repr
    for name, value in env.items():
        assert got[name.encode()] == value.encode(), name
    assert arguments == [word.encode() for word in words]
    assert said.stderr == b""


@given(_TEXT)
@settings(max_examples=200, deadline=None)
def test_quoted_text_has_no_quote_that_ends_it_early(text: str) -> None:
    assert quote(text).replace("'\\''", "").count("'") == 2


@pytest.mark.parametrize("name", ["", "a=b", "a\0b"])
def test_names_that_no_process_can_have_are_told(name: str) -> None:
    assert check_environment({name: "x"})


def test_a_value_with_nul_is_told() -> None:
    assert check_environment({"A": "x\0y"})
    assert check_environment({"A": None, "B": "x"}) is None
