from __future__ import annotations

import pytest

from pawl.cli.terminal.cells import cell_width, crop
from pawl.cli.terminal.durations import count, show_duration, show_size
from pawl.cli.terminal.lines import Piece, Style, fit, line, to_text, width_of
from pawl.cli.terminal.wrapping import wrap


def test_wide_characters_take_two_cells_and_marks_none() -> None:
    assert cell_width("中文ab") == 6
    assert cell_width("e\u0301") == 1


def test_a_cut_text_ends_with_an_ellipsis_and_fits() -> None:
    assert crop("中文中文", 5) == "中文…"
    assert crop("short", 5) == "short"
    assert crop("x", 0) == ""


def test_a_line_is_cut_so_that_its_right_piece_stands_at_the_edge() -> None:
    drawn = fit(line("a long name that does not fit"), Piece("12s"), 20)
    assert to_text(drawn, colour=False) == "a long name tha… 12s"
    assert width_of(drawn) == 20


def test_a_wide_line_is_wrapped_at_words_with_an_indent() -> None:
    wide = line("  ", Piece("one two three four", Style.BAD), " five six")
    assert [to_text(one, colour=False) for one in wrap(wide, 14)] == [
        "  one two",
        "    three four",
        "    five six",
    ]
    unbroken = line("x" * 30)
    assert list(wrap(unbroken, 14)) == [unbroken]
    bar = line("  | ", "[" + "#" * 20 + "] 60%")
    assert list(wrap(bar, 14)) == [bar]
    assert list(wrap(line("fits"), 14)) == [line("fits")]


def test_styles_are_only_written_with_colour() -> None:
    styled = line(Piece("x", Style.BAD), "y")
    assert to_text(styled, colour=True) == "\x1b[31mx\x1b[0my"
    assert to_text(styled, colour=False) == "xy"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0s"), (9.9, "9.9s"), (12.4, "12s"), (184, "3m 04s"), (3720, "1h 02m"), (-5, "0.0s")],
)
def test_durations_read_well(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 B"), (312, "312 B"), (1400, "1.4 kB"), (23_400_000, "23 MB"), (5e12, "5000 GB")],
)
def test_sizes_read_well(size: int, shown: str) -> None:
    assert show_size(size) == shown


def test_one_is_singular() -> None:
    assert (count(1, "file"), count(0, "file")) == ("1 file", "0 files")
