from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.cli.terminal.sanitise import one_line, sanitise

_ALPHABET = "\x1b\x07\x9b\x00\r\n\t[];0123mHJKPX^_\\\u202e\ue000a é"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m\x1b[0m"),
        ("\x1b[2J\x1b[Hcleared", "cleared"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdevice\x1b\\after", "after"),
        ("10%\r50%\r100%\r", "100%"),
        ("tab\tstays", "tab\tstays"),
        ("a\x00\x08b\x7f", "ab"),
        ("\x9b31m", "31m"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("cut \x1b", "cut "),
        ("cut \x1b[38;5", "cut "),
    ],
)
def test_only_colours_pass(text: str, shown: str) -> None:
    assert sanitise(text, colour=True) == shown


def test_without_colour_nothing_passes() -> None:
    assert sanitise("\x1b[31mred\x1b[0m", colour=False) == "red"


def test_one_line_folds_blanks_and_newlines() -> None:
    assert one_line("a\n\n b\tc\x1b[1m") == "a b c"


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet=_ALPHABET, max_size=60))
def test_what_remains_is_harmless(text: str) -> None:
    shown = sanitise(text, colour=True)
    rest = re.sub("\x1b\\[[0-9;:]*m", "", shown)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", rest)
    assert sanitise(sanitise(text, colour=False), colour=False) == sanitise(text, colour=False)
