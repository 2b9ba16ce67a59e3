"""Paths outside and inside a job's container."""

from __future__ import annotations

from pathlib import Path

import pytest

from pawl.adapters.executor_docker.layout import Layout


def test_the_innermost_folder_says_where_a_path_is_inside() -> None:
    """With --bind the workspace may be above the job's own folders."""
    layout = Layout({Path("/tree"): "/pawl/workspace", Path("/tree/jobs/1/files"): "/pawl/files"})
    assert layout.inside(Path("/tree/jobs/1/files/script.sh")) == "/pawl/files/script.sh"
    assert layout.inside(Path("/tree/src/a")) == "/pawl/workspace/src/a"
    assert layout.inside(Path("/tree")) == "/pawl/workspace"
    with pytest.raises(ValueError, match="neither"):
        layout.inside(Path("/tree/../etc"))
