"""Where fetched files of artifacts go: never out of the folder that was named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pawl.cli.remote.downloading import place_in
from pawl.core.model.errors import UsageError


def test_a_file_goes_into_the_folder_of_its_artifact() -> None:
    assert place_in(Path("out"), "dist", "lib/a b.so") == Path("out/dist/lib/a b.so")


@pytest.mark.parametrize(
    ("artifact", "file"),
    [
        ("..", "a"),
        ("dist", "../a"),
        ("dist", "/etc/passwd"),
        ("dist", "a/../../b"),
        ("a/b", "c"),
        ("", "a"),
        ("dist", ""),
        ("dist", "a\\b"),
        ("dist", "a\x1b[2Jb"),
        ("dist", "a" * 256),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(artifact: str, file: str) -> None:
    with pytest.raises(UsageError, match="cannot be stored"):
        place_in(Path("out"), artifact, file)
