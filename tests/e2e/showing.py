"""`make demo` as a process, with its own place for temporary folders."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.processes import kill_all, processes_of, until

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120
_OTHER_PROJECT = """
import sys
from pathlib import Path
from tools.demo import __main__ as demo
demo._PROJECT = Path(sys.argv.pop(1))
sys.exit(demo.main())
"""
"""The demo with another project than the example: which it is is no setting."""


class Showing:
    """A demo as a process; `folder` is where temporary folders go."""

    def __init__(self, folder: Path, *options: str, project: Path | None = None) -> None:
        self.folder = folder
        what = ["-c", _OTHER_PROJECT, str(project)] if project else ["-m", "tools.demo"]
        self._file = folder.parent / "demo.out"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PAWL_")}
        with self._file.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, *what, *options],
                cwd=ROOT,
                env={**kept, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    @property
    def told(self) -> str:
        return self._file.read_text("utf-8")

    def wait_for(self, text: str) -> None:
        until(lambda: text in self.told or self.process.poll() is not None, text, seconds=SECONDS)
        assert text in self.told, self.told

    def end(self) -> int:
        return self.process.wait(SECONDS)

    def assert_nothing_is_left(self) -> None:
        assert list(self.folder.iterdir()) == []
        assert processes_of(self.folder) == []


@contextmanager
def showing(tmp_path: Path, *options: str, project: Path | None = None) -> Iterator[Showing]:
    folder = tmp_path / "tmp"
    folder.mkdir()
    shown = Showing(folder, *options, project=project)
    try:
        yield shown
    finally:
        shown.process.kill()
        shown.process.wait(SECONDS)
        kill_all(folder)
