"""What a fake process does, read from its environment.

    FAKE_OUTPUT=text          written to standard output
    FAKE_ERROR=text           written to standard error
    FAKE_REPEAT=1000          both are written that many times
    FAKE_PRINT_ENV=NAME       the value of that variable, written to standard output after FAKE_OUTPUT
    FAKE_APPEND_NAME=text     appended to the file whose inside path is the variable NAME's value
    FAKE_SLEEP=3              seconds, through the sleep the executor was given; after the writing
    FAKE_EXIT=2               the exit code
    FAKE_OOM=1                ends as if the memory limit had killed it
    FAKE_LOST=1               ends as if its sandbox had died under it
    FAKE_MISSING=1            ends as if the program did not exist
    FAKE_IGNORE=INT TERM      signals that do nothing

In the sandbox's environment also:

    FAKE_OPEN_ERROR=text      `open` raises InfrastructureError
    FAKE_OPEN_REFUSED=text    `open` raises UsageError
    FAKE_OPEN_SLEEP=3         seconds that `open` takes
    FAKE_TROUBLE=text         what `close` returns
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pawl.ports.executor import Exit

_APPEND = "FAKE_APPEND_"


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeScript:
    """What to write and how to end.

    Attributes:
        appends: pairs of an inside path and the text that goes to the end of that file.
        seconds: how long it runs once all is written.
        ignored: names of signals that do nothing; KILL always ends it.
    """

    stdout: bytes
    stderr: bytes
    appends: tuple[tuple[str, str], ...]
    seconds: float
    ignored: frozenset[str]
    end: Exit


def parse_script(env: Mapping[str, str], program: str) -> FakeScript:
    """Return what the environment of a process asks for."""
    repeat = int(env.get("FAKE_REPEAT", "1"))
    printed = env.get(env.get("FAKE_PRINT_ENV", ""), "")
    return FakeScript(
        stdout=_bytes(env.get("FAKE_OUTPUT", "")) * repeat + _bytes(printed),
        stderr=_bytes(env.get("FAKE_ERROR", "")) * repeat,
        appends=tuple(
            (env[name.removeprefix(_APPEND)], text)
            for name, text in env.items()
            if name.startswith(_APPEND) and name.removeprefix(_APPEND) in env
        ),
        seconds=float(env.get("FAKE_SLEEP", "0")),
        ignored=frozenset(env.get("FAKE_IGNORE", "").split()) - {"KILL"},
        end=_parse_end(env, program),
    )


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _parse_end(env: Mapping[str, str], program: str) -> Exit:
    if env.get("FAKE_LOST"):
        return Exit(code=137, reason="the sandbox was lost")
    if env.get("FAKE_OOM"):
        return Exit(code=137, signal=9, out_of_memory=True)
    if env.get("FAKE_MISSING"):
        return Exit(code=127, reason=f"the program {program} was not found")
    return Exit(code=int(env.get("FAKE_EXIT", "0")))
