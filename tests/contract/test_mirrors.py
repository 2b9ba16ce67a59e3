"""What every kind of mirrors does (ports.mirrors), asked over HTTP of a real git host."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawl.adapters.git.mirror import Access, GitMirrors, MirrorLimits
from pawl.adapters.git.pack import PackedSource
from pawl.core.model.errors import Denied, NotFound, TooLarge, TransientError, UsageError
from pawl.ports.mirrors import Mirrors, Origin
from tests.git_server import GitServer, Mode, Repository, git, git_server

NAME = "octo/repo"
NO_COMMIT = "0" * 40
ABSENT = "1" * 40


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitServer]:
    with git_server(tmp_path / "host") as server:
        yield server


@pytest.fixture
def repository(host: GitServer) -> Repository:
    made = host.repository(NAME)
    made.commit({"README.md": "hello\n", "src/a.py": "a = 1\n"})
    return made


@pytest.fixture
def origin(repository: Repository) -> Origin:
    return Origin(name=NAME, url=repository.url)


@pytest.fixture
def mirrors(tmp_path: Path) -> Mirrors:
    limits = MirrorLimits(seconds=30, workflows=5, workflow_size=1000)
    return GitMirrors(tmp_path / "mirrors", access=Access(protocols=("http",)), limits=limits)


async def test_a_fetch_brings_heads_and_tags(
    mirrors: Mirrors, origin: Origin, repository: Repository
) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.git("tag", "-a", "v1", "-m", "one")
    repository.push("v1")
    await mirrors.fetch(origin)
    assert await mirrors.resolve(NAME, "refs/heads/main") == first
    assert await mirrors.resolve(NAME, "refs/tags/v1") == first
    assert await mirrors.resolve(NAME, first) == first
    assert await mirrors.resolve(NAME, "refs/heads/other") is None
    assert await mirrors.resolve(NAME, ABSENT) is None


async def test_a_fetch_follows_the_host(mirrors: Mirrors, origin: Origin, repository: Repository) -> None:
    repository.push("HEAD:refs/heads/gone")
    await mirrors.fetch(origin)
    old = await mirrors.resolve(NAME, "refs/heads/main")
    repository.push(":refs/heads/gone")
    repository.git("commit", "-q", "--amend", "--allow-empty", "-m", "rewritten")
    repository.push()
    await mirrors.fetch(origin)
    new = await mirrors.resolve(NAME, "refs/heads/main")
    assert new is not None
    assert new != old
    assert new == repository.git("rev-parse", "HEAD")
    assert await mirrors.resolve(NAME, "refs/heads/gone") is None


async def test_a_branch_may_become_a_folder_of_branches(
    mirrors: Mirrors, origin: Origin, repository: Repository
) -> None:
    repository.push("HEAD:refs/heads/a")
    await mirrors.fetch(origin)
    repository.push(":refs/heads/a")
    repository.push("HEAD:refs/heads/a/b")
    await mirrors.fetch(origin)
    assert await mirrors.resolve(NAME, "refs/heads/a/b") is not None


async def test_a_commit_that_is_there_is_not_fetched(
    mirrors: Mirrors, origin: Origin, repository: Repository, host: GitServer
) -> None:
    sha = repository.git("rev-parse", "HEAD")
    await mirrors.fetch(origin, wanted=sha)
    asked = len(host.seen)
    await mirrors.fetch(origin, wanted=sha)
    assert len(host.seen) == asked


@pytest.mark.parametrize("ref", ["refs/pull/7/head", "refs/merge-requests/7/head"])
async def test_a_commit_of_a_request_is_fetched_when_it_is_wanted(
    mirrors: Mirrors, origin: Origin, repository: Repository, ref: str
) -> None:
    repository.git("checkout", "-q", "--detach")
    repository.git("commit", "-q", "--allow-empty", "-m", "of a fork")
    sha = repository.git("rev-parse", "HEAD")
    repository.push(f"HEAD:{ref}")
    await mirrors.fetch(origin)
    assert await mirrors.resolve(NAME, sha) is None
    await mirrors.fetch(origin, wanted=sha)
    assert await mirrors.resolve(NAME, sha) == sha


async def test_one_vanished_commit_does_not_keep_another_away(
    mirrors: Mirrors, origin: Origin, repository: Repository
) -> None:
    repository.git("commit", "-q", "--allow-empty", "-m", "of a fork")
    sha = repository.git("rev-parse", "HEAD")
    repository.push("HEAD:refs/pull/8/head")
    results = await asyncio.gather(
        mirrors.fetch(origin, wanted=ABSENT), mirrors.fetch(origin, wanted=sha), return_exceptions=True
    )
    assert isinstance(results[0], NotFound)
    assert results[1] is None


async def test_a_repository_that_is_not_there(mirrors: Mirrors, host: GitServer) -> None:
    with pytest.raises(NotFound):
        await mirrors.fetch(Origin(name="octo/none", url=f"{host.address}/octo/none.git"))


async def test_an_empty_repository_has_nothing(mirrors: Mirrors, host: GitServer) -> None:
    empty = host.repository("octo/empty")
    origin = Origin(name="octo/empty", url=empty.url)
    await mirrors.fetch(origin)
    assert await mirrors.heads(origin) == {}
    with pytest.raises(NotFound):
        await mirrors.fetch(origin, wanted=ABSENT)


async def test_those_who_wait_share_a_fetch(
    mirrors: Mirrors, origin: Origin, repository: Repository, host: GitServer
) -> None:
    await mirrors.fetch(origin)
    host.fetches.clear()
    host.mode = Mode.SILENT
    first = asyncio.create_task(mirrors.fetch(origin))
    await asyncio.to_thread(host.held.acquire)
    later = repository.commit({"b": "b"})
    host.mode = Mode.WELL
    others = [asyncio.create_task(mirrors.fetch(origin, wanted=later)) for _ in range(1000)]
    await asyncio.sleep(0)
    host.release.set()
    await asyncio.gather(first, *others)
    assert await mirrors.resolve(NAME, later) == later
    assert host.fetches["/octo/repo.git"] <= 2
    assert host.most_at_once == 1


async def test_a_commit_that_is_there_needs_no_host(
    mirrors: Mirrors, origin: Origin, repository: Repository, host: GitServer
) -> None:
    sha = repository.git("rev-parse", "HEAD")
    await mirrors.fetch(origin)
    host.mode = Mode.ERROR
    results = await asyncio.gather(
        mirrors.fetch(origin), mirrors.fetch(origin, wanted=sha), return_exceptions=True
    )
    assert isinstance(results[0], TransientError)
    assert results[1] is None


async def test_one_who_leaves_takes_nothing_from_the_others(
    mirrors: Mirrors, origin: Origin, host: GitServer
) -> None:
    host.mode = Mode.SILENT
    leaves = asyncio.create_task(mirrors.fetch(origin))
    stays = asyncio.create_task(mirrors.fetch(origin))
    await asyncio.to_thread(host.held.acquire)
    host.mode = Mode.WELL
    leaves.cancel()
    host.release.set()
    await stays
    with pytest.raises(asyncio.CancelledError):
        await leaves
    assert await mirrors.resolve(NAME, "refs/heads/main") is not None


async def test_credentials_open_the_host(mirrors: Mirrors, origin: Origin, host: GitServer) -> None:
    host.user, host.secret = "tess", "s3cret-value"
    with pytest.raises(Denied):
        await mirrors.fetch(origin)
    wrong = Origin(name=NAME, url=origin.url, user="tess", secret="wrong-value")
    with pytest.raises(Denied) as caught:
        await mirrors.fetch(wrong)
    assert "wrong-value" not in caught.value.message
    right = Origin(name=NAME, url=origin.url, user="tess", secret="s3cret-value")
    await mirrors.fetch(right)
    assert "refs/heads/main" in await mirrors.heads(right)


@pytest.mark.parametrize("mode", [Mode.ERROR, Mode.CUT])
async def test_a_host_that_fails_may_be_asked_again(
    mirrors: Mirrors, origin: Origin, host: GitServer, mode: Mode
) -> None:
    host.mode = mode
    with pytest.raises(TransientError):
        await mirrors.fetch(origin)
    host.mode = Mode.WELL
    await mirrors.fetch(origin)
    host.mode = mode
    if mode is Mode.ERROR:
        with pytest.raises(TransientError):
            await mirrors.fetch(origin)
    assert await mirrors.resolve(NAME, "refs/heads/main") is not None


async def test_a_host_that_is_away(mirrors: Mirrors) -> None:
    with pytest.raises(TransientError):
        await mirrors.fetch(Origin(name=NAME, url="http://127.0.0.1:1/octo/repo.git"))


async def test_redirects_are_not_followed(mirrors: Mirrors, origin: Origin, host: GitServer) -> None:
    host.mode = Mode.ELSEWHERE
    with pytest.raises(UsageError, match="sends elsewhere"):
        await mirrors.fetch(origin)
    assert not any(path.startswith("/elsewhere") for _, path, _ in host.seen)


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/x",
        "--upload-pack=id",
        "-x",
        "",
        "octo/repo",
        "/etc/passwd",
        "file:///etc",
        "git@example.com:octo/repo.git",
        "ssh://-oProxyCommand=id/x",
        "http://user:secret@example.com/x",
        "http://user@example.com/x",
        "http://example.com",
        "http://example.com/a b",
        "http://example.com/a\nb",
        "http://exa mple.com/a",
        "http://example.com/a?b",
        "http://example.com:99999/a",
        "http://[::1/a",
        "https://example.com/" + "a" * 5000,
    ],
)
async def test_a_url_that_is_refused_reaches_nobody(mirrors: Mirrors, url: str) -> None:
    with pytest.raises(UsageError):
        await mirrors.fetch(Origin(name=NAME, url=url))
    with pytest.raises(UsageError):
        await mirrors.heads(Origin(name=NAME, url=url))


@pytest.mark.parametrize(
    "ref", ["--help", "-x", "HEAD", "main", "refs/heads/../x", "refs/heads/a b", "", "x\n"]
)
async def test_a_name_that_is_no_ref_is_nothing(mirrors: Mirrors, origin: Origin, ref: str) -> None:
    await mirrors.fetch(origin)
    assert await mirrors.resolve(NAME, ref) is None
    with pytest.raises(NotFound):
        await mirrors.fetch(origin, wanted=ref or "x")
    with pytest.raises(NotFound):
        await mirrors.workflows(NAME, ref)


async def test_heads_are_asked_without_a_mirror(
    mirrors: Mirrors, origin: Origin, repository: Repository
) -> None:
    repository.git("tag", "-a", "v1", "-m", "one")
    repository.push("v1")
    sha = repository.git("rev-parse", "HEAD")
    assert await mirrors.heads(origin) == {"refs/heads/main": sha, "refs/tags/v1": sha}
    assert await mirrors.resolve(NAME, "refs/heads/main") is None


async def test_workflow_files_come_in_order(mirrors: Mirrors, origin: Origin, repository: Repository) -> None:
    paths = [
        ".github/workflows/b.yml",
        ".github/workflows/a.yaml",
        ".pawl/workflows/ü.yml",
        ".ci.yml",
        ".ci/x.yml",
    ]
    others = [".github/workflows/deep/c.yml", ".ci/notes.md", "sub/.ci.yml", ".github/dependabot.yml"]
    sha = repository.commit({path: f"name: {path}\n" for path in (*reversed(paths), *others)})
    repository.commit({".ci.yml": "later\n"})
    await mirrors.fetch(origin)
    found = await mirrors.workflows(NAME, sha)
    assert [each.path for each in found] == paths
    assert [each.text for each in found] == [f"name: {path}\n" for path in paths]


async def test_a_commit_without_workflows_has_none(mirrors: Mirrors, origin: Origin) -> None:
    await mirrors.fetch(origin)
    sha = await mirrors.resolve(NAME, "refs/heads/main")
    assert sha is not None
    assert await mirrors.workflows(NAME, sha) == ()


async def test_workflows_of_an_absent_commit_or_mirror(mirrors: Mirrors, origin: Origin) -> None:
    with pytest.raises(NotFound):
        await mirrors.workflows(NAME, ABSENT)
    await mirrors.fetch(origin)
    with pytest.raises(NotFound):
        await mirrors.workflows(NAME, ABSENT)


@pytest.mark.parametrize(
    "at", [".ci.yml", ".github/workflows/x.yml", ".github/workflows", ".github", ".pawl"]
)
async def test_a_link_in_place_of_a_workflow_is_refused(
    mirrors: Mirrors, origin: Origin, repository: Repository, at: str
) -> None:
    path = repository.tree / at
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("/etc")
    sha = repository.commit()
    await mirrors.fetch(origin)
    with pytest.raises(UsageError, match="symbolic link"):
        await mirrors.workflows(NAME, sha)


async def test_a_submodule_in_place_of_a_workflow_is_refused(
    mirrors: Mirrors, origin: Origin, repository: Repository
) -> None:
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{ABSENT},.ci.yml")
    repository.git("commit", "-q", "-m", "gitlink")
    repository.push()
    await mirrors.fetch(origin)
    with pytest.raises(UsageError, match="submodule"):
        await mirrors.workflows(NAME, repository.git("rev-parse", "HEAD"))


async def test_a_workflow_that_is_no_text_is_told(
    mirrors: Mirrors, origin: Origin, repository: Repository
) -> None:
    sha = repository.commit({".ci.yml": b"name: \xff\n"})
    await mirrors.fetch(origin)
    with pytest.raises(UsageError, match=r"`.ci.yml` is no UTF-8 text: byte 7 is 0xff"):
        await mirrors.workflows(NAME, sha)


async def test_too_large_and_too_many_workflows(
    mirrors: Mirrors, origin: Origin, repository: Repository
) -> None:
    large = repository.commit({".ci.yml": "#" * 1001})
    many = repository.commit({".ci.yml": "", **{f".ci/{number}.yml": "x" for number in range(5)}})
    just = repository.commit({".ci.yml": "#" * 1000, ".ci/0.yml": None})
    await mirrors.fetch(origin)
    with pytest.raises(TooLarge):
        await mirrors.workflows(NAME, large)
    with pytest.raises(TooLarge):
        await mirrors.workflows(NAME, many)
    assert len(await mirrors.workflows(NAME, just)) == 5


async def test_a_file_of_a_commit(mirrors: Mirrors, origin: Origin, repository: Repository) -> None:
    repository.tree.joinpath("link").symlink_to("README.md")
    sha = repository.commit({"bin": b"\0\xff" * 10, "*": "star", "a b/ü": "x"})
    await mirrors.fetch(origin)
    assert await mirrors.file(NAME, sha, "bin", 20) == b"\0\xff" * 10
    assert await mirrors.file(NAME, sha, "*", 20) == b"star"
    assert await mirrors.file(NAME, sha, "a b/ü", 20) == b"x"
    for path in ("none", "src", "src/", "link", "../x", "/README.md", "--help", ":(top)bin", "", "a\0b"):
        assert await mirrors.file(NAME, sha, path, 20) is None
    with pytest.raises(TooLarge):
        await mirrors.file(NAME, sha, "bin", 19)
    with pytest.raises(NotFound):
        await mirrors.file(NAME, ABSENT, "bin", 20)


async def test_changed_files_of_a_push(mirrors: Mirrors, origin: Origin, repository: Repository) -> None:
    before = repository.git("rev-parse", "HEAD")
    repository.commit({"new name/ü": "x\n"})
    repository.git("mv", "README.md", "moved")
    after = repository.commit({"src/a.py": None})
    await mirrors.fetch(origin)
    changed = await mirrors.changed_files(NAME, before, after, merge_base=False)
    assert changed == ("README.md", "moved", "new name/ü", "src/a.py")
    assert await mirrors.changed_files(NAME, before, before, merge_base=False) == ()
    assert await mirrors.changed_files(NAME, ABSENT, after, merge_base=False) is None
    assert await mirrors.changed_files(NAME, before, ABSENT, merge_base=False) is None
    assert await mirrors.changed_files(NAME, "--help", after, merge_base=False) is None
    assert await mirrors.changed_files("octo/none", before, after, merge_base=False) is None


async def test_changed_files_of_a_request_leave_out_what_its_base_did(
    mirrors: Mirrors, origin: Origin, repository: Repository
) -> None:
    repository.git("checkout", "-q", "-b", "topic")
    head = repository.commit({"topic": "x"})
    repository.git("checkout", "-q", "main")
    base = repository.commit({"base": "x"})
    await mirrors.fetch(origin)
    assert await mirrors.changed_files(NAME, base, head, merge_base=True) == ("topic",)
    assert await mirrors.changed_files(NAME, base, head, merge_base=False) == ("base", "topic")


async def test_changed_files_of_a_new_branch_are_its_own(
    mirrors: Mirrors, origin: Origin, repository: Repository
) -> None:
    repository.git("checkout", "-q", "-b", "topic")
    head = repository.commit({"topic": "x"})
    repository.git("checkout", "-q", "main")
    repository.commit({"base": "x"})
    await mirrors.fetch(origin)
    assert await mirrors.changed_files(NAME, NO_COMMIT, head, merge_base=False) == ("topic",)


async def test_changed_files_of_the_first_push_are_all(
    mirrors: Mirrors, origin: Origin, repository: Repository
) -> None:
    await mirrors.fetch(origin)
    sha = repository.git("rev-parse", "HEAD")
    assert await mirrors.changed_files(NAME, NO_COMMIT, sha, merge_base=False) == ("README.md", "src/a.py")


async def test_which_commit_is_older(mirrors: Mirrors, origin: Origin, repository: Repository) -> None:
    older = repository.git("rev-parse", "HEAD")
    newer = repository.commit({"b": "b"})
    await mirrors.fetch(origin)
    assert await mirrors.is_ancestor(NAME, older, newer)
    assert not await mirrors.is_ancestor(NAME, newer, older)
    assert not await mirrors.is_ancestor(NAME, ABSENT, newer)
    assert not await mirrors.is_ancestor(NAME, older, "--help")
    assert not await mirrors.is_ancestor("octo/none", older, newer)


async def test_the_message_of_a_commit(mirrors: Mirrors, origin: Origin, repository: Repository) -> None:
    sha = repository.commit({"b": "b"}, "Über all\n\n[skip ci]\n")
    await mirrors.fetch(origin)
    assert await mirrors.message(NAME, sha) == "Über all\n\n[skip ci]"
    for absent in (ABSENT, "--help"):
        with pytest.raises(NotFound):
            await mirrors.message(NAME, absent)


@pytest.mark.parametrize(("depth", "expected"), [(1, 1), (2, 2), (3, 3), (10, 4), (0, 4)])
async def test_a_commit_is_packed_with_its_history(
    mirrors: Mirrors, origin: Origin, repository: Repository, tmp_path: Path, depth: int, expected: int
) -> None:
    for number in range(3):
        sha = repository.commit({"counted": str(number)})
    await mirrors.fetch(origin)
    file, target = tmp_path / "packed", tmp_path / "target"
    target.mkdir()
    blocks = [block async for block in mirrors.pack(NAME, sha, ref="refs/heads/main", depth=depth)]
    file.write_bytes(b"".join(blocks))
    assert await PackedSource(file).copy_to(target) == 3
    assert git(target, "rev-list", "--count", "HEAD") == str(expected)
    assert git(target, "status", "--porcelain") == ""
    git(target, "fsck", "--strict")
