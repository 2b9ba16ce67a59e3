"""The live view: the tree, drawn over itself at most eight times a second."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
from collections.abc import AsyncIterator, Callable, Iterator

from rich.console import Console
from rich.live import Live
from rich.text import Text

from pawl.cli.terminal.lines import Line, Piece, Style, line, to_text
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import Screen
from pawl.cli.terminal.wrapping import wrap
from pawl.cli.view.picture import RunPicture
from pawl.cli.view.tree import draw_tree
from pawl.core.model.run_events import RunEvent

_FRAME_SECONDS = 1 / 8
_BEGIN_FRAME, _END_FRAME = "\x1b[?2026h", "\x1b[?2026l"


class LiveView:
    """Draws the tree of a run on a terminal while it is open (`drawing`), and clears it at the end."""

    def __init__(self, picture: RunPicture, screen: Screen, now: Callable[[], float]) -> None:
        self._picture = picture
        self._screen = screen
        self._now = now
        self._console = Console(
            force_terminal=True,
            no_color=not screen.colour,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._live = Live(
            get_renderable=self._draw,
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=True,
            vertical_overflow="crop",
        )
        self._is_dirty = True
        self._drawn_second = 0

    def report(self, event: RunEvent) -> None:
        """Take one event (ports.reporter): the picture has it already, so only note that it changed."""
        del event
        self._is_dirty = True

    def notice(self, text: str) -> None:
        """Show a sentence above the tree, where it stays."""
        note = line(Piece("note: ", Style.NOTE), one_line(text))
        lines = list(wrap(note, max(20, self._console.size.width)))
        self._console.print(to_rich(lines, colour=self._screen.colour))

    @contextlib.asynccontextmanager
    async def drawing(self) -> AsyncIterator[None]:
        """Draw until the block ends; the terminal is as before afterwards, also after an exception."""
        with silent_keys(), self._live:
            ticker = asyncio.create_task(self._tick(), name="live view")
            try:
                yield
            finally:
                ticker.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await ticker

    async def _tick(self) -> None:
        while True:
            second = int(self._now())
            # Calm: without news it is drawn once a second, for the clocks.
            if self._is_dirty or second != self._drawn_second:
                self._is_dirty, self._drawn_second = False, second
                self._refresh()
            await asyncio.sleep(_FRAME_SECONDS)

    def _refresh(self) -> None:
        # A frame is taken whole by terminals that know of synchronised output; others ignore the marks.
        self._console.file.write(_BEGIN_FRAME)
        self._live.refresh()
        self._console.file.write(_END_FRAME)
        self._console.file.flush()

    def _draw(self) -> Text:
        size = self._console.size
        screen = Screen(
            colour=self._screen.colour,
            is_terminal=True,
            glyphs=self._screen.glyphs,
            width=max(20, size.width),
            height=max(6, size.height),
        )
        lines = draw_tree(self._picture, now=self._now(), screen=screen)
        return to_rich(lines, colour=screen.colour)


@contextlib.contextmanager
def silent_keys() -> Iterator[None]:
    """Let the terminal not show typed keys, `^C` among them, while something is drawn over itself."""
    descriptor = sys.stdin.fileno() if sys.stdin.isatty() else None
    # A background process that changes the terminal is stopped by it.
    if descriptor is None or os.tcgetpgrp(descriptor) != os.getpgrp():
        yield
        return
    before = termios.tcgetattr(descriptor)
    silent = termios.tcgetattr(descriptor)
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(descriptor, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def to_rich(lines: list[Line], *, colour: bool) -> Text:
    """Return the lines as one rich text that is cropped, never wrapped."""
    text = Text.from_ansi("\n".join(to_text(one, colour=colour) for one in lines))
    text.no_wrap, text.overflow = True, "crop"
    return text
