from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from pawl.core.model.errors import UsageError
from pawl.engine.execution import workspace_files
from pawl.engine.execution.hashing import HashLimits, hash_files


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "w"
    for name in ("a.txt", "b/b.txt", "b/c/c.txt", "lock.json", "z/10", "z/2"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (tmp_path / "outside.txt").write_text("not yours")
    return root


def call(root: Path, *arguments: str, limits: HashLimits | None = None, inside: str | None = None) -> str:
    return hash_files(arguments, root, monotonic=time.monotonic, limits=limits, inside=inside)


def expected(*contents: str) -> str:
    digests = [hashlib.sha256(text.encode()).digest() for text in contents]
    return hashlib.sha256(b"".join(digests)).hexdigest() if contents else ""


def test_the_hash_is_over_the_digests_in_order(tree: Path) -> None:
    assert call(tree, "**/*.txt") == expected("a.txt", "b/b.txt", "b/c/c.txt")
    assert call(tree, "z") == expected("z/10", "z/2")


def test_a_single_file_and_nothing(tree: Path) -> None:
    assert call(tree, "lock.json") == expected("lock.json")
    assert call(tree, "*.lock") == ""
    assert call(tree) == ""


def test_patterns_are_seen_as_the_job_sees_them(tree: Path) -> None:
    assert call(tree, "/github/workspace/b/*.txt", inside="/github/workspace") == expected("b/b.txt")
    assert call(tree, "/**/lock.json", inside="/github/workspace") == expected("lock.json")
    assert call(tree, "/elsewhere/**", inside="/github/workspace") == ""


def test_a_linked_file_counts_and_a_linked_folder_is_not_entered(tree: Path) -> None:
    (tree / "l.txt").symlink_to("b/b.txt")
    (tree / "y").symlink_to("b")
    assert call(tree, "*.txt") == expected("a.txt", "b/b.txt")
    assert call(tree, "y/**") == expected()


def test_linked_folders_are_entered_when_asked_but_not_in_circles(tree: Path) -> None:
    (tree / "y").symlink_to("b")
    (tree / "b/up").symlink_to("..")
    assert call(tree, "--follow-symbolic-links", "y/*.txt") == expected("b/b.txt")
    assert call(tree, "--follow-symbolic-links", "b/**/a.txt") == expected("a.txt")


@pytest.mark.parametrize("target", ["../outside.txt", "/etc/passwd", "missing", "l.txt"])
def test_a_link_that_leads_outside_or_nowhere_is_left_out(tree: Path, target: str) -> None:
    (tree / "l.txt").symlink_to(target)
    assert call(tree, "*.txt") == expected("a.txt")


def test_a_linked_folder_outside_is_not_entered(tree: Path) -> None:
    (tree / "y").symlink_to("..")
    assert call(tree, "--follow-symbolic-links", "y/outside.txt") == ""


def test_what_is_no_file_is_left_out(tree: Path) -> None:
    os.mkfifo(tree / "fifo.txt")
    assert call(tree, "*.txt") == expected("a.txt")


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (HashLimits(files=2), "matches 3 files; at most 2"),
        (HashLimits(size=8), "more bytes"),
        (HashLimits(seconds=-1), "too long"),
    ],
)
def test_limits_are_named(tree: Path, limits: HashLimits, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        call(tree, "**/*.txt", limits=limits)


def test_limits_are_not_passed_at_the_limit(tree: Path) -> None:
    assert call(tree, "**/*.txt", limits=HashLimits(files=3, size=5 + 7 + 9))


def test_a_workspace_too_large_to_list_is_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace_files, "MAX_LISTED", 4)
    with pytest.raises(UsageError, match="more than 4"):
        call(tree, "**")


def test_an_unknown_option_is_refused(tree: Path) -> None:
    with pytest.raises(UsageError, match="--nope"):
        call(tree, "--nope", "a.txt")
