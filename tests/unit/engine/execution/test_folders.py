from __future__ import annotations

import os
from pathlib import Path

import pytest

from pawl.core.model.errors import InfrastructureError
from pawl.engine.execution.folders import (
    is_full,
    is_other_user,
    make_job_folder,
    open_to_all,
    read_job_file,
    read_workspace_file,
    remove_folder,
)


def test_a_job_file_is_read_up_to_one_byte_more_than_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f").write_bytes(b"12345")

    assert read_job_file(tmp_path, "a/f", limit=5) == b"12345"
    assert read_job_file(tmp_path, "a/f", limit=3) == b"1234"


@pytest.mark.parametrize(
    ("blocks", "free", "full"), [(1000, 0, True), (1000, 15, True), (1000, 16, False), (0, 0, False)]
)
def test_a_disk_with_no_room_for_anything_is_full(
    blocks: int, free: int, full: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = os.statvfs_result((4096, 4096, blocks, free, free, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _path: told)
    assert is_full(tmp_path) is full


@pytest.mark.parametrize("name", ["missing", "folder", "link", "through/f", "pipe"])
def test_only_regular_files_reached_without_links_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "f").write_text("secret")
    (tmp_path / "link").symlink_to(tmp_path / "folder" / "f")
    (tmp_path / "through").symlink_to(tmp_path / "folder")
    os.mkfifo(tmp_path / "pipe")

    assert read_job_file(tmp_path, name, limit=100) is None


def test_links_inside_the_workspace_are_followed_but_none_leads_out(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    (workspace / "real").mkdir(parents=True)
    (workspace / "real" / "f").write_text("inside")
    (tmp_path / "secret").write_text("outside")
    (workspace / "alias").symlink_to("real")
    (workspace / "out").symlink_to(tmp_path / "secret")
    (workspace / "loop").symlink_to("loop")

    assert read_workspace_file(workspace, "alias/f", limit=100) == b"inside"
    for name in ("out", "../secret", str(tmp_path / "secret"), "loop", ".", "a\0b"):
        assert read_workspace_file(workspace, name, limit=100) is None


def test_a_folder_is_removed_with_read_only_and_unreadable_parts(tmp_path: Path) -> None:
    root, kept = tmp_path / "job", tmp_path / "kept"
    (root / "deep" / "er").mkdir(parents=True)
    (root / "deep" / "er" / "f").touch()
    kept.mkdir()
    (kept / "f").touch()
    (root / "link").symlink_to(kept)
    (root / "deep" / "er").chmod(0o500)
    (root / "deep").chmod(0o000)

    assert remove_folder(root) is None
    assert not root.exists()
    assert (kept / "f").exists(), "links are removed, not followed"
    assert remove_folder(root) is None


def test_opening_to_all_keeps_what_can_be_run_and_spares_links_and_shared_files(tmp_path: Path) -> None:
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    tree.mkdir(mode=0o755)
    for name, mode in (("plain", 0o644), ("tool", 0o755)):
        (tree / name).touch()
        (tree / name).chmod(mode)
    outside.touch(mode=0o600)
    (tree / "link").symlink_to(outside)
    os.link(outside, tree / "shared")

    open_to_all(tree)

    modes = {
        path.name: path.stat().st_mode & 0o777 for path in (tree, tree / "plain", tree / "tool", outside)
    }
    assert modes == {"tree": 0o777, "plain": 0o666, "tool": 0o777, "outside": 0o600}


@pytest.mark.parametrize(
    ("user", "other"), [("", False), ("root", False), ("0:0", False), ("4321", True), ("node:node", True)]
)
def test_users_who_are_neither_root_nor_us(user: str, other: bool) -> None:
    assert is_other_user(user) is other
    assert not is_other_user(str(os.getuid()))


def test_a_folder_that_cannot_be_made_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(InfrastructureError, match="cannot make the job's folder"):
        make_job_folder(tmp_path / "file" / "job", bind=None)
