"""Golden files: what a text gives, kept beside it; `--update-golden` writes them anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Compare = Callable[[Path, str], None]


@pytest.fixture
def compare(request: pytest.FixtureRequest) -> Compare:
    """Return a function that compares a text with a golden file, or writes it when asked to."""

    def check(path: Path, actual: str) -> None:
        if request.config.getoption("--update-golden"):
            path.write_text(actual, encoding="utf-8", newline="")
        assert path.is_file(), (
            f"{path.name} is missing; run pytest with --update-golden and read what it writes"
        )
        assert actual == path.read_bytes().decode("utf-8")

    return check
