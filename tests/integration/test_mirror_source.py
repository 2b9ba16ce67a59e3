"""A workspace made from a mirror holds what was asked for, and no way back to mirror or credentials."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawl.adapters.git.mirror import Access, GitMirrors, MirrorSource
from pawl.adapters.git.pack import PackLimits
from pawl.core.model.errors import NotFound, TooLarge, UsageError
from pawl.core.steps.checkout import Checkout, Submodules
from pawl.ports.mirrors import Origin
from pawl.ports.source import SourceState
from tests.git_server import GitServer, Repository, git, git_server

NAME = "octo/repo"
SECRET = "s3cret-t0ken"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitServer]:
    with git_server(tmp_path / "host") as server:
        yield server


@pytest.fixture
def repository(host: GitServer) -> Repository:
    made = host.repository(NAME)
    made.commit({"README.md": "one\n", "src/a.py": "a\n", "pages/x/y.md": "y\n"}, "first")
    made.tree.joinpath("run.sh").write_text("#!/bin/sh\n")
    made.tree.joinpath("run.sh").chmod(0o755)
    made.tree.joinpath("link").symlink_to("README.md")
    made.commit({"README.md": "two\n"}, "second")
    made.commit({"README.md": "three\n"}, "third")
    return made


@pytest.fixture
def mirrors(tmp_path: Path) -> GitMirrors:
    return GitMirrors(tmp_path / "mirrors", access=Access(protocols=("http",)))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def source_of(
    mirrors: GitMirrors,
    repository: Repository,
    *,
    ref: str = "refs/heads/main",
    sha: str = "",
    secret: str = "",
) -> MirrorSource:
    state = SourceState(
        sha=sha or repository.git("rev-parse", "HEAD"),
        branch="main",
        tag=None,
        dirty=False,
        repository=NAME,
        default_branch="main",
    )
    origin = Origin(name=NAME, url=repository.url, user="tess" if secret else "", secret=secret)
    return MirrorSource(mirrors, origin, state, ref=ref)


def files(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return {str(path.relative_to(folder)) for path in found if ".git" not in path.relative_to(folder).parts}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


ALL = {"README.md", "src/a.py", "pages/x/y.md", "run.sh", "link"}


async def test_one_commit_on_its_branch(mirrors: GitMirrors, repository: Repository, workspace: Path) -> None:
    source = source_of(mirrors, repository)
    assert await source.copy_to(workspace) == 5
    assert files(workspace) == ALL
    assert (workspace / "run.sh").stat().st_mode & 0o111
    assert (workspace / "link").is_symlink()
    assert git(workspace, "status", "--porcelain", "--branch") == "## main...origin/main"
    assert git(workspace, "log", "--format=%s") == "third"
    assert git(workspace, "config", "remote.origin.url") == repository.url
    git(workspace, "fsck", "--strict")
    assert (await source.state()).repository == NAME


async def test_the_workspace_stands_by_itself(
    mirrors: GitMirrors, repository: Repository, workspace: Path
) -> None:
    await source_of(mirrors, repository).copy_to(workspace, wanted=Checkout(depth=0))
    inside = [path for path in (workspace / ".git").rglob("*") if path.is_file()]
    assert inside
    assert {path.stat().st_nlink for path in inside} == {1}
    assert not (workspace / ".git/objects/info/alternates").exists()
    mirror = mirrors.folder(NAME).path
    assert not any(str(mirror).encode() in path.read_bytes() for path in inside)
    mirror.rename(mirror.with_suffix(".away"))
    git(workspace, "fsck", "--full", "--strict")


@pytest.mark.parametrize(
    ("depth", "told"),
    [(1, "third"), (2, "third\nsecond"), (3, "third\nsecond\nfirst"), (0, "third\nsecond\nfirst")],
)
async def test_history_as_deep_as_asked_for(
    mirrors: GitMirrors, repository: Repository, workspace: Path, depth: int, told: str
) -> None:
    await source_of(mirrors, repository).copy_to(workspace, wanted=Checkout(depth=depth))
    assert git(workspace, "log", "--format=%s") == told
    is_shallow = git(workspace, "rev-parse", "--is-shallow-repository")
    assert is_shallow == ("true" if depth in (1, 2) else "false")
    git(workspace, "fsck", "--strict")


async def test_a_shallow_workspace_can_be_deepened_from_its_origin(
    mirrors: GitMirrors, repository: Repository, workspace: Path
) -> None:
    await source_of(mirrors, repository).copy_to(workspace)
    git(workspace, "fetch", "-q", "--unshallow", "origin")
    assert git(workspace, "rev-list", "--count", "HEAD") == "3"


async def test_all_branches_and_tags_with_the_whole_history(
    mirrors: GitMirrors, repository: Repository, workspace: Path
) -> None:
    sha = repository.git("rev-parse", "HEAD")
    repository.git("tag", "-a", "v1", "-m", "one", "HEAD^")
    repository.git("tag", "plain")
    repository.push("v1", "plain", "HEAD^:refs/heads/side/track")
    repository.commit({"README.md": "moved on\n"})
    await source_of(mirrors, repository, sha=sha).copy_to(workspace, wanted=Checkout(depth=0))
    assert git(workspace, "for-each-ref", "--format=%(refname) %(objecttype)").splitlines() == [
        "refs/heads/main commit",
        "refs/remotes/origin/main commit",
        "refs/remotes/origin/side/track commit",
        "refs/tags/plain commit",
        "refs/tags/v1 tag",
    ]
    assert git(workspace, "rev-parse", "HEAD", "origin/main").split() == [sha, sha]
    assert git(workspace, "describe") == "v1-1-g" + sha[:7]


async def test_tags_with_one_commit_each(
    mirrors: GitMirrors, repository: Repository, workspace: Path
) -> None:
    repository.git("tag", "-a", "v1", "-m", "one", "HEAD^")
    repository.push("v1")
    await source_of(mirrors, repository).copy_to(workspace, wanted=Checkout(tags=True))
    assert git(workspace, "rev-list", "--count", "v1") == "1"
    assert git(workspace, "log", "-1", "--format=%s", "v1") == "second"
    git(workspace, "fsck", "--strict")


async def test_a_tag_is_checked_out_by_itself(
    mirrors: GitMirrors, repository: Repository, workspace: Path
) -> None:
    repository.git("tag", "-a", "v1", "-m", "one")
    repository.push("v1")
    await source_of(mirrors, repository, ref="refs/tags/v1").copy_to(workspace)
    assert git(workspace, "describe", "--exact-match") == "v1"
    assert git(workspace, "branch", "--show-current") == ""


async def test_a_pull_requests_commit(mirrors: GitMirrors, repository: Repository, workspace: Path) -> None:
    repository.git("checkout", "-q", "--detach")
    repository.git("commit", "-q", "--allow-empty", "-m", "of a fork")
    repository.push("HEAD:refs/pull/7/merge")
    await source_of(mirrors, repository, ref="refs/pull/7/merge").copy_to(workspace)
    assert git(workspace, "log", "--format=%s") == "of a fork"
    assert git(workspace, "rev-parse", "refs/remotes/pull/7/merge") == git(workspace, "rev-parse", "HEAD")


async def test_folders_of_a_sparse_checkout(
    mirrors: GitMirrors, repository: Repository, workspace: Path
) -> None:
    count = await source_of(mirrors, repository).copy_to(workspace, wanted=Checkout(sparse=("pages",)))
    assert files(workspace) == {"README.md", "run.sh", "link", "pages/x/y.md"}
    assert count == 4
    assert git(workspace, "status", "--porcelain") == ""
    assert git(workspace, "sparse-checkout", "list") == "pages"


async def test_patterns_of_a_sparse_checkout(
    mirrors: GitMirrors, repository: Repository, workspace: Path
) -> None:
    wanted = Checkout(sparse=("*.md", "!README.md", "-x"), cone=False)
    assert await source_of(mirrors, repository).copy_to(workspace, wanted=wanted) == 1
    assert files(workspace) == {"pages/x/y.md"}


async def test_a_part_of_the_files_alone(
    mirrors: GitMirrors, repository: Repository, workspace: Path, tmp_path: Path
) -> None:
    source = source_of(mirrors, repository)
    assert await source.copy_to(workspace, subfolder="pages/") == 1
    assert names(workspace) == ["x"]
    other = tmp_path / "other"
    other.mkdir()
    assert await source.copy_to(other, subfolder="README.md") == 0
    assert await source.copy_to(other, subfolder="--none") == 0


async def test_credentials_stay_out_of_the_workspace(
    mirrors: GitMirrors, repository: Repository, workspace: Path, host: GitServer
) -> None:
    host.user, host.secret = "tess", SECRET
    await source_of(mirrors, repository, secret=SECRET).copy_to(workspace)
    assert_no_secret(workspace, mirrors)


async def test_credentials_are_there_when_they_are_asked_for(
    mirrors: GitMirrors, repository: Repository, workspace: Path, host: GitServer
) -> None:
    host.user, host.secret = "tess", SECRET
    source = source_of(mirrors, repository, secret=SECRET)
    await source.copy_to(workspace, wanted=Checkout(persist_credentials=True))
    git(workspace, "fetch", "-q", "--unshallow", "origin")
    assert (workspace / ".git/config").stat().st_mode & 0o077 == 0
    assert git(workspace, "config", "remote.origin.url") == repository.url
    assert_no_secret(workspace / "src", mirrors)


def assert_no_secret(folder: Path, mirrors: GitMirrors) -> None:
    told = base64.b64encode(f"tess:{SECRET}".encode())
    for path in (*folder.rglob("*"), *mirrors.folder(NAME).path.parent.rglob("*")):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes()
            assert told not in path.read_bytes()


async def test_too_much_is_refused_and_leaves_nothing(
    mirrors: GitMirrors, repository: Repository, workspace: Path
) -> None:
    state = await source_of(mirrors, repository).state()
    for limits in (PackLimits(files=4), PackLimits(size=10)):
        source = MirrorSource(mirrors, Origin(name=NAME, url=repository.url), state, limits=limits)
        with pytest.raises(TooLarge):
            await source.copy_to(workspace)
        assert names(workspace) == []


async def test_lfs_is_refused_in_plain_words(
    mirrors: GitMirrors, repository: Repository, workspace: Path
) -> None:
    with pytest.raises(UsageError, match="lfs: true"):
        await source_of(mirrors, repository).copy_to(workspace, wanted=Checkout(lfs=True))


async def test_a_commit_that_vanished(mirrors: GitMirrors, repository: Repository, workspace: Path) -> None:
    with pytest.raises(NotFound):
        await source_of(mirrors, repository, sha="1" * 40).copy_to(workspace)


async def test_no_program_of_the_commit_runs(
    mirrors: GitMirrors, repository: Repository, workspace: Path, tmp_path: Path
) -> None:
    trap = tmp_path / "ran"
    repository.commit(
        {".gitattributes": "* filter=evil\n", ".gitconfig": f'[filter "evil"]\nsmudge = touch {trap}\n'}
    )
    (mirrors.folder(NAME).path / "hooks").mkdir(parents=True)
    await source_of(mirrors, repository).copy_to(workspace)
    assert not trap.exists()


async def test_changed_files(mirrors: GitMirrors, repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD^^")
    repository.git("checkout", "-q", "-b", "topic")
    repository.commit({"topic": "x"})
    source = source_of(mirrors, repository, ref="refs/heads/topic")
    assert await source.changed_files(None) == ("topic",)
    assert await source.changed_files("main") == ("topic",)
    assert await source.changed_files(first) == ("README.md", "link", "run.sh", "topic")
    with pytest.raises(UsageError, match="is no commit"):
        await source.changed_files("--help")


@pytest.fixture
def nested(host: GitServer, repository: Repository) -> Repository:
    """Give the repository a submodule, which has one itself."""
    inner, outer = host.repository("octo/inner"), host.repository("octo/outer")
    inner.commit({"inner.txt": "i\n"})
    add_submodule(outer, "deep", "../inner.git", inner.git("rev-parse", "HEAD"))
    add_submodule(repository, "libs/outer", outer.url, outer.git("rev-parse", "HEAD"))
    return repository


def add_submodule(repository: Repository, path: str, url: str, sha: str) -> None:
    repository.git("config", "-f", ".gitmodules", f"submodule.{path}.path", path)
    repository.git("config", "-f", ".gitmodules", f"submodule.{path}.url", url)
    repository.git("add", ".gitmodules")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{sha},{path}")
    repository.git("commit", "-q", "-m", "submodule")
    repository.push()


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (Submodules.NONE, set()),
        (Submodules.DIRECT, {"libs/outer/.gitmodules"}),
        (Submodules.RECURSIVE, {"libs/outer/.gitmodules", "libs/outer/deep/inner.txt"}),
    ],
)
async def test_submodules(
    mirrors: GitMirrors,
    nested: Repository,
    workspace: Path,
    host: GitServer,
    which: Submodules,
    expected: set[str],
) -> None:
    host.user, host.secret = "tess", SECRET
    source = source_of(mirrors, nested, secret=SECRET)
    await source.copy_to(workspace, wanted=Checkout(submodules=which))
    assert files(workspace) == ALL | {".gitmodules"} | expected
    assert git(workspace, "status", "--porcelain") == ""
    assert_no_secret(workspace, mirrors)


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/octo/x.git",
        "http://elsewhere.example/octo/x.git",
        "http://127.0.0.1:1/octo/x.git",
        "ext::sh -c touch% ran",
        "file:///etc",
        "/etc",
        "-x",
        "--upload-pack=touch ran",
    ],
)
async def test_a_submodule_from_elsewhere_is_refused(
    mirrors: GitMirrors, repository: Repository, workspace: Path, url: str
) -> None:
    add_submodule(repository, "sub", url, "1" * 40)
    with pytest.raises(UsageError, match="submodule"):
        await source_of(mirrors, repository).copy_to(workspace, wanted=Checkout(submodules=Submodules.DIRECT))
    assert names(workspace) == []


async def test_credentials_go_to_no_other_host(
    mirrors: GitMirrors, repository: Repository, workspace: Path, host: GitServer, tmp_path: Path
) -> None:
    with git_server(tmp_path / "other") as other:
        lib = other.repository("octo/lib")
        add_submodule(repository, "lib", lib.url, lib.commit({"lib.txt": "l\n"}))
        host.user, host.secret = "tess", SECRET
        source = source_of(mirrors, repository, secret=SECRET)
        state, origin = (
            await source.state(),
            Origin(name=NAME, url=repository.url, user="tess", secret=SECRET),
        )
        source = MirrorSource(mirrors, origin, state, ref="refs/heads/main", submodule_hosts=("127.0.0.1",))
        await source.copy_to(workspace, wanted=Checkout(submodules=Submodules.DIRECT))
        assert (workspace / "lib/lib.txt").exists()
        assert {authorization for _, _, authorization in other.seen} == {""}


async def test_a_submodule_in_a_folder_that_was_not_asked_for(
    mirrors: GitMirrors, nested: Repository, workspace: Path
) -> None:
    wanted = Checkout(sparse=("src",), submodules=Submodules.RECURSIVE)
    await source_of(mirrors, nested).copy_to(workspace, wanted=wanted)
    assert not (workspace / "libs").exists()
