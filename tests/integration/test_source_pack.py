"""A commit's files come out of a pack as they went in, and a hostile pack harms nobody."""

from __future__ import annotations

import hashlib
import os
import subprocess
import zlib
from pathlib import Path

import pytest

from pawl.adapters.git.pack import Header, PackedSource, PackLimits, pack
from pawl.core.model.errors import InfrastructureError, TooLarge, UsageError
from pawl.core.steps.checkout import Checkout, Submodules

ODD_NAMES = [
    "with space",
    "tab\there",
    "new\nline",
    "quote'\"",
    "-rf",
    "ünï",
    "*?[x]",
    ":(top)x",
    "back\\slash",
]


def git(folder: Path, *arguments: str, give: bytes = b"") -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env = clean | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}
    who = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "core.quotePath=false")
    done = subprocess.run(
        ["git", *who, *arguments],
        cwd=folder,
        env=env,
        input=give,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def commit(repository: Path) -> str:
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "--allow-empty", "-m", "message")
    return git(repository, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


async def packed(repository: Path, sha: str, ref: str = "refs/heads/main") -> Path:
    data = b"".join([block async for block in pack(repository, sha, ref=ref, name="octo/repo")])
    return written(repository.parent / "packed", data)


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def files(folder: Path) -> set[str]:
    below = (path.relative_to(folder) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return {str(path) for path in below if path.parts[0] != ".git"}


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def fill(repository: Path) -> None:
    (repository / "pages/deep").mkdir(parents=True)
    (repository / "pages/deep/page.md").write_text("page\n")
    (repository / "run.sh").write_text("#!/bin/sh\n")
    (repository / "run.sh").chmod(0o755)
    (repository / "link").symlink_to("pages/deep/page.md")
    (repository / "outside").symlink_to("/etc/hostname")
    for name in ODD_NAMES:
        (repository / name).write_text(name)


async def test_files_modes_links_and_odd_names_come_out_as_they_went_in(
    repository: Path, target: Path
) -> None:
    fill(repository)
    sha = commit(repository)
    assert await PackedSource(await packed(repository, sha)).copy_to(target) == len(ODD_NAMES) + 4
    assert files(target) == {*ODD_NAMES, "pages/deep/page.md", "run.sh", "link", "outside"}
    assert all((target / name).read_text() == name for name in ODD_NAMES)
    assert os.access(target / "run.sh", os.X_OK)
    assert not os.access(target / "pages/deep/page.md", os.X_OK)
    assert str((target / "outside").readlink()) == "/etc/hostname"
    assert git(target, "status", "--porcelain") == ""
    assert git(target, "log", "--format=%H %s") == f"{sha} message"
    assert git(target, "branch", "--show-current") == "main"
    assert git(target, "fsck") == ""


async def test_the_history_stays_at_home(repository: Path, target: Path) -> None:
    (repository / "secret").write_text("was deleted long ago")
    commit(repository)
    blob = git(repository, "rev-parse", "HEAD:secret")
    (repository / "secret").unlink()
    (repository / "kept").write_text("kept")
    sha = commit(repository)
    await PackedSource(await packed(repository, sha)).copy_to(target)
    assert files(target) == {"kept"}
    assert git(target, "rev-list", "--all") == sha
    with pytest.raises(subprocess.CalledProcessError):
        git(target, "cat-file", "-e", blob)


async def test_what_is_not_committed_stays_out(repository: Path, target: Path) -> None:
    (repository / "kept").write_text("committed")
    sha = commit(repository)
    (repository / "kept").write_text("changed")
    (repository / "new").write_text("new")
    await PackedSource(await packed(repository, sha)).copy_to(target)
    assert files(target) == {"kept"}
    assert (target / "kept").read_text() == "committed"


async def test_an_empty_tree(repository: Path, target: Path) -> None:
    sha = commit(repository)
    assert await PackedSource(await packed(repository, sha)).copy_to(target) == 0
    assert files(target) == set()
    assert git(target, "rev-parse", "HEAD") == sha


async def test_a_submodule_is_an_empty_folder(repository: Path, target: Path) -> None:
    (repository / "file").write_text("file")
    git(repository, "add", "file")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendored")
    git(repository, "commit", "-q", "-m", "with a submodule")
    sha = git(repository, "rev-parse", "HEAD")
    assert await PackedSource(await packed(repository, sha)).copy_to(target) == 1
    assert names(target / "vendored") == []


async def test_filters_named_in_attributes_do_not_run(repository: Path, target: Path) -> None:
    (repository / ".gitattributes").write_text("* filter=lfs\n*.txt eol=crlf\n")
    (repository / "large").write_text("pointer\n")
    (repository / "a.txt").write_text("line\n")
    sha = commit(repository)
    await PackedSource(await packed(repository, sha)).copy_to(target)
    assert (target / "large").read_text() == "pointer\n"
    assert (target / "a.txt").read_bytes() == b"line\r\n"


async def test_a_part_of_the_tree(repository: Path, target: Path) -> None:
    fill(repository)
    source = PackedSource(await packed(repository, commit(repository)))
    assert await source.copy_to(target, subfolder="pages/") == 1
    assert names(target) == ["deep"]
    assert files(target) == {"deep/page.md"}


@pytest.mark.parametrize("part", ["none", "run.sh", "../..", "link", "-rf", "pages/none"])
async def test_a_part_that_is_no_folder_is_empty(repository: Path, target: Path, part: str) -> None:
    fill(repository)
    source = PackedSource(await packed(repository, commit(repository)))
    assert await source.copy_to(target, subfolder=part) == 0
    assert names(target) == []


async def test_the_header_tells_the_state(repository: Path) -> None:
    sha = commit(repository)
    source = PackedSource(await packed(repository, sha, "refs/tags/v1"))
    state = await source.state()
    assert (state.sha, state.branch, state.tag, state.repository) == (sha, None, "v1", "octo/repo")
    assert await source.changed_files(None) is None


async def test_a_tag_is_known_and_the_head_stands_alone(repository: Path, target: Path) -> None:
    sha = commit(repository)
    await PackedSource(await packed(repository, sha, "refs/tags/v1")).copy_to(target)
    assert git(target, "describe", "--tags") == "v1"
    assert git(target, "branch", "--show-current") == ""


@pytest.mark.parametrize(
    "ref", ["", "refs/pull/1/merge", "refs/heads/../../x", "refs/heads/-x", "--help", "refs/heads/"]
)
async def test_any_other_ref_is_left_out(repository: Path, target: Path, ref: str) -> None:
    sha = commit(repository)
    await PackedSource(await packed(repository, sha, ref)).copy_to(target)
    assert git(target, "rev-parse", "HEAD") == sha
    assert not (target / ".git/x").exists()


async def test_a_repository_with_longer_ids(tmp_path: Path, target: Path) -> None:
    repository = tmp_path / "longer"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "main", "--object-format=sha256")
    (repository / "file").write_text("file")
    sha = commit(repository)
    assert len(sha) == 64
    assert await PackedSource(await packed(repository, sha)).copy_to(target) == 1


@pytest.mark.parametrize("sha", ["HEAD", "main", "--all", "", "0" * 40, "abc1234", "a" * 41, "A" * 40])
async def test_only_a_whole_commit_is_packed(repository: Path, sha: str) -> None:
    commit(repository)
    with pytest.raises(UsageError):
        await packed(repository, sha)


async def test_a_tree_is_no_commit(repository: Path) -> None:
    commit(repository)
    with pytest.raises(UsageError):
        await packed(repository, git(repository, "rev-parse", "HEAD^{tree}"))


async def test_a_reader_that_leaves_ends_git(repository: Path) -> None:
    for number in range(20):
        (repository / str(number)).write_bytes(os.urandom(200_000))
    blocks = pack(repository, commit(repository))
    assert (await anext(blocks)).startswith(b"{")
    await anext(blocks)
    await blocks.aclose()


async def refused(file: Path, target: Path, limits: PackLimits | None = None) -> InfrastructureError:
    with pytest.raises(InfrastructureError) as failure:
        await PackedSource(file, limits=limits).copy_to(target)
    assert names(target) == []
    return failure.value


async def test_a_pack_that_was_cut_off_is_refused_at_any_place(repository: Path, target: Path) -> None:
    fill(repository)
    file = await packed(repository, commit(repository))
    data = file.read_bytes()
    for end in (0, 1, 20, data.index(b"\n"), data.index(b"\n") + 1, len(data) // 2, len(data) - 1):
        await refused(written(file, data[:end]), target)


async def test_a_flipped_bit_is_found(repository: Path, target: Path) -> None:
    fill(repository)
    file = await packed(repository, commit(repository))
    data = bytearray(file.read_bytes())
    data[-40] ^= 1
    await refused(written(file, bytes(data)), target)


@pytest.mark.parametrize(
    "line",
    [
        b"garbage\n",
        b"[" * 4000 + b"\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b'{"pawl-source": 1, "sha": 5, "ref": "", "repository": ""}\n',
        b'{"pawl-source": 1, "sha": "--all", "ref": "", "repository": ""}\n',
        b'{"pawl-source": 2, "sha": "", "ref": "", "repository": ""}\n',
        b"\xff\xfe\n",
        b" " * 5000 + b"{}\n",
        b"x" * 10_000_000,
    ],
)
async def test_a_header_that_is_none_is_refused(tmp_path: Path, target: Path, line: bytes) -> None:
    await refused(written(tmp_path / "packed", line), target)


async def test_a_pack_of_another_commit_is_refused(repository: Path, target: Path) -> None:
    file = await packed(repository, commit(repository))
    body = file.read_bytes().partition(b"\n")[2]
    failure = await refused(written(file, Header(sha="1" * 40).to_line() + body), target)
    assert "1" * 40 in failure.message


def tree_with(repository: Path, *entries: tuple[str, bytes, str]) -> str:
    """Store a tree that git itself would not make, and return a commit of it."""
    raw = b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(sha) for mode, name, sha in entries)
    whole = b"tree %d\0" % len(raw) + raw
    sha = hashlib.sha1(whole).hexdigest()  # noqa: S324 - git's own ids
    path = repository / ".git/objects" / sha[:2] / sha[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(whole))
    return git(repository, "commit-tree", "-m", "hostile", sha)


@pytest.mark.parametrize(
    "name", [b"..", b".", b".git", b".GIT", b"../x", b"a/../../x", b"/etc/x", b".git/config", b"git~1"]
)
async def test_a_name_that_leads_elsewhere_is_refused(repository: Path, target: Path, name: bytes) -> None:
    blob = git(repository, "hash-object", "-w", "--stdin", give=b"hostile")
    sha = tree_with(repository, ("100644", name, blob))
    await refused(await packed(repository, sha), target)
    assert not (target.parent / "x").exists()


async def test_nothing_is_written_through_a_link(repository: Path, target: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    blob = git(repository, "hash-object", "-w", "--stdin", give=b"hostile")
    link = git(repository, "hash-object", "-w", "--stdin", give=str(tmp_path / "elsewhere").encode())
    inner = git(repository, "mktree", give=f"100644 blob {blob}\tfile\n".encode())
    sha = tree_with(repository, ("120000", b"a", link), ("40000", b"a", inner))
    await refused(await packed(repository, sha), target)
    assert names(tmp_path / "elsewhere") == []


async def test_more_files_or_bytes_than_allowed_are_refused(repository: Path, target: Path) -> None:
    fill(repository)
    file = await packed(repository, commit(repository))
    for limits in (PackLimits(files=5), PackLimits(size=2_000_000, files=12)):
        with pytest.raises(TooLarge):
            await PackedSource(file, limits=limits).copy_to(target)
        assert names(target) == []
    await refused(file, target, PackLimits(size=10))


async def test_a_tree_that_holds_itself_many_times_is_counted_and_refused(
    repository: Path, target: Path
) -> None:
    """Ten levels of ten folders each: a kilobyte that would become ten thousand million files."""
    blob = git(repository, "hash-object", "-w", "--stdin", give=b"x")
    tree = git(repository, "mktree", give=f"100644 blob {blob}\tfile\n".encode())
    for _ in range(10):
        tree = git(
            repository, "mktree", give="".join(f"040000 tree {tree}\td{n}\n" for n in range(10)).encode()
        )
    sha = git(repository, "commit-tree", "-m", "bomb", tree)
    with pytest.raises(TooLarge):
        await PackedSource(await packed(repository, sha), limits=PackLimits(files=50_000)).copy_to(target)
    assert names(target) == []


async def test_a_file_that_is_not_there(tmp_path: Path, target: Path) -> None:
    await refused(tmp_path / "none", target)


async def test_a_sparse_checkout_writes_only_what_is_wanted(repository: Path, target: Path) -> None:
    for name in ("top", "a/x", "b/y"):
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).write_text(name)
    source = PackedSource(await packed(repository, commit(repository)))
    assert await source.copy_to(target, wanted=Checkout(sparse=("a",))) == 2
    assert files(target) == {"top", "a/x"}
    assert git(target, "status", "--porcelain") == ""


async def test_what_a_pack_has_not_is_told(repository: Path) -> None:
    (repository / "a").write_text("a")
    source = PackedSource(await packed(repository, commit(repository)))
    assert source.remarks(Checkout(sparse=("a",))) == ()
    everything = Checkout(
        depth=0, tags=True, submodules=Submodules.DIRECT, lfs=True, persist_credentials=True
    )
    assert len(source.remarks(everything)) == 5


@pytest.mark.parametrize(("depth", "expected"), [(1, 1), (2, 2), (0, 4)])
async def test_the_history_comes_along_as_deep_as_it_is_packed(
    repository: Path, target: Path, depth: int, expected: int
) -> None:
    for number in range(4):
        (repository / "a").write_text(str(number))
        sha = commit(repository)
    blocks = [block async for block in pack(repository, sha, depth=depth)]
    source = PackedSource(written(repository.parent / "packed", b"".join(blocks)))
    assert await source.copy_to(target) == 1
    assert git(target, "rev-list", "--count", "HEAD") == str(expected)
