from __future__ import annotations

import io
import sys

import pytest

from pawl.cli.terminal.notices import NOTE, tell


class Stream(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("terminal", "told"),
    [
        (True, "note: one two three four five six seven\n    eight nine\n"),
        (False, "note: one two three four five six seven eight nine\n"),
    ],
)
def test_a_note_is_wrapped_at_words_on_a_terminal_only(
    terminal: bool, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Stream(terminal=terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    tell(NOTE, "one two three four five six seven eight nine")
    assert stream.getvalue() == told


def test_a_message_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    tell(NOTE, "a\x1b[2Jb\nsecond")
    assert capsys.readouterr().err == "note: ab\nsecond\n"
