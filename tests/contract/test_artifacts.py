"""What every `ArtifactStore` promises (ports/artifacts.py), asked of each adapter."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pawl.adapters.runs_folder import ArtifactLimits, FolderArtifacts
from pawl.core.model.errors import UsageError
from pawl.core.model.ids import JobId
from pawl.ports.artifacts import ArtifactStore

JOB = JobId("build#1")
LIMITS = ArtifactLimits(files=3, size=100, artifacts=3)

Open = Callable[[], ArtifactStore]


@pytest.fixture(params=["folder"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    return lambda: FolderArtifacts(tmp_path / "artifacts", limits=LIMITS)


@pytest.fixture
def store(open_store: Open) -> ArtifactStore:
    return open_store()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "work"
    (root / "sub").mkdir(parents=True)
    (root / "a.txt").write_text("a")
    (root / "sub/page.html").write_text("<p>")
    return root


def test_files_are_kept_with_hash_size_and_type(store: ArtifactStore, root: Path, open_store: Open) -> None:
    files = [("a.txt", root / "a.txt"), ("docs/page.html", root / "sub/page.html")]
    manifest = store.store("site", JOB, files)
    assert manifest == store.manifests()[0] == open_store().manifests()[0]
    assert (manifest.name, manifest.job, manifest.size) == ("site", JOB, 4)
    assert [(file.name, file.size, file.content_type) for file in manifest.files] == [
        ("a.txt", 1, "text/plain"),
        ("docs/page.html", 3, "text/html"),
    ]
    assert manifest.files[0].sha256 == hashlib.sha256(b"a").hexdigest()
    assert store.open_path("site", "docs/page.html").read_text() == "<p>"


def test_artifacts_come_in_the_order_they_were_stored(store: ArtifactStore, root: Path) -> None:
    for name in ("z", "a", "M"):
        store.store(name, JOB, [("f", root / "a.txt")])
    assert [manifest.name for manifest in store.manifests()] == ["z", "a", "M"]


def test_what_is_not_there_is_told(store: ArtifactStore, root: Path) -> None:
    store.store("site", JOB, [("a.txt", root / "a.txt")])
    for artifact, file in (("nope", "a.txt"), ("site", "nope"), ("site", "../manifest.json"), ("..", "x")):
        with pytest.raises(KeyError):
            store.open_path(artifact, file)


def test_a_name_is_taken_once(store: ArtifactStore, root: Path) -> None:
    store.store("site", JOB, [("a.txt", root / "a.txt")])
    with pytest.raises(UsageError, match="already has an artifact called `site`"):
        store.store("site", JOB, [])


def test_a_later_attempt_of_the_same_job_takes_the_name_over(
    store: ArtifactStore, root: Path, open_store: Open
) -> None:
    store.store("site", JOB, [("a.txt", root / "a.txt")])
    store.store("site", JOB, [("again.txt", root / "a.txt")], attempt=2)
    (kept,) = open_store().manifests()
    assert ([file.name for file in kept.files], kept.attempt) == (["again.txt"], 2)
    assert store.open_path("site", "again.txt").is_file()
    with pytest.raises(UsageError, match="of the job"):
        store.store("site", JobId("other"), [("a.txt", root / "a.txt")], attempt=3)
    store.store("site", JobId("other"), [("b.txt", root / "a.txt")], replace=True)
    assert [manifest.job for manifest in store.manifests()] == ["other"]


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\nb", "a:b", "x" * 300, "a\\b", "nul\0"])
def test_unsafe_artifact_names_are_refused(store: ArtifactStore, root: Path, name: str) -> None:
    with pytest.raises(UsageError):
        store.store(name, JOB, [("a.txt", root / "a.txt")])
    assert store.manifests() == ()


@pytest.mark.parametrize("name", ["", "/a", "../a", "a/../b", "a//b", "a/", "./a", "a\0", "x" * 256, "a|b"])
def test_unsafe_file_names_are_refused(store: ArtifactStore, root: Path, name: str) -> None:
    with pytest.raises(UsageError):
        store.store("site", JOB, [("ok", root / "a.txt"), (name, root / "a.txt")])
    assert store.manifests() == ()


@pytest.mark.parametrize("second", ["a", "a/b"])
def test_two_files_cannot_have_one_place(store: ArtifactStore, root: Path, second: str) -> None:
    with pytest.raises(UsageError):
        store.store("site", JOB, [("a", root / "a.txt"), (second, root / "a.txt")])
    assert store.manifests() == ()


def test_links_and_what_is_no_file_are_refused(store: ArtifactStore, root: Path) -> None:
    (root / "link").symlink_to("a.txt")
    os.mkfifo(root / "fifo")
    for name in ("link", "fifo", "sub", "missing"):
        with pytest.raises(UsageError):
            store.store("site", JOB, [("f", root / name)])
    assert store.manifests() == ()


def test_no_link_below_the_given_folder_is_followed(store: ArtifactStore, root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("x")
    (root / "swapped").symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match="swapped/secret"):
        store.store("site", JOB, [("f", root / "swapped/secret")], within=root)
    store.store("site", JOB, [("f", root / "sub/page.html")], within=root)


def test_limits_hold_at_the_limit_and_fail_beyond(store: ArtifactStore, root: Path) -> None:
    (root / "big").write_bytes(b"x" * 100)
    (root / "bigger").write_bytes(b"x" * 101)
    files = [(str(number), root / "a.txt") for number in range(4)]
    store.store("most", JOB, files[:3])
    store.store("big", JOB, [("big", root / "big")])
    with pytest.raises(UsageError, match="more than 3 files"):
        store.store("many", JOB, files)
    with pytest.raises(UsageError, match="larger than allowed"):
        store.store("bigger", JOB, [("x", root / "bigger")])
    store.store("last", JOB, [])
    with pytest.raises(UsageError, match="3 artifacts already"):
        store.store("one more", JOB, [])


def test_executables_stay_executable_and_nothing_else_of_the_mode_is_kept(
    store: ArtifactStore, root: Path
) -> None:
    (root / "a.txt").chmod(0o4711)
    store.store("site", JOB, [("a.txt", root / "a.txt")])
    assert store.open_path("site", "a.txt").stat().st_mode & 0o7777 == 0o755
