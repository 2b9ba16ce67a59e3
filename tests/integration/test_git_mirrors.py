"""Mirrors heal, keep to their limits, and give nothing away."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawl.adapters.git.calling import Git, GitError, Rules
from pawl.adapters.git.mirror import Access, GitMirrors, MirrorLimits, MirrorSource
from pawl.adapters.git.mirror.complaints import from_complaint
from pawl.adapters.git.mirror.fetching import Fetcher
from pawl.adapters.git.mirror.folders import folder_of
from pawl.adapters.git.mirror.origins import rules_for
from pawl.core.model.errors import (
    Denied,
    InfrastructureError,
    NotFound,
    PawlError,
    TooLarge,
    TransientError,
    UsageError,
)
from pawl.ports.mirrors import Origin
from pawl.ports.source import SourceState
from tests.git_server import GitServer, Mode, Repository, git, git_server

NAME = "octo/repo"
SECRET = "s3cret-t0ken"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitServer]:
    with git_server(tmp_path / "host") as server:
        yield server


@pytest.fixture
def repository(host: GitServer) -> Repository:
    made = host.repository(NAME)
    made.commit({".ci.yml": "name: x\n", "noise": os.urandom(2000)})
    return made


@pytest.fixture
def origin(repository: Repository) -> Origin:
    return Origin(name=NAME, url=repository.url)


def make_mirrors(tmp_path: Path, **limits: float) -> GitMirrors:
    return GitMirrors(
        tmp_path / "mirrors",
        access=Access(protocols=("http",)),
        limits=MirrorLimits(**{"seconds": 30, **limits}),  # type: ignore[arg-type]  # numbers of either kind
    )


def spoil(mirror: Path) -> None:
    """Damage all objects of a mirror."""
    found = [path for path in (mirror / "objects").rglob("*") if path.is_file()]
    for path in found:
        path.chmod(0o600)
        path.write_bytes(b"\0" * path.stat().st_size)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("path", "content"),
    [("config", "[core"), ("HEAD", "nonsense\n"), ("packed-refs", "nonsense\n"), ("objects", None)],
)
async def test_a_damaged_mirror_is_set_aside_and_made_anew(
    tmp_path: Path, origin: Origin, repository: Repository, path: str, content: str | None
) -> None:
    mirrors = make_mirrors(tmp_path)
    await mirrors.fetch(origin)
    at = mirrors.folder(NAME).path / path
    if content is None:
        shutil.rmtree(at)
    else:
        at.write_text(content)
    sha = repository.commit({"more": "x"})
    await mirrors.fetch(origin)
    assert [each.text for each in await mirrors.workflows(NAME, sha)] == ["name: x\n"]
    assert mirrors.folder(NAME).damaged.is_dir()
    git(mirrors.folder(NAME).path, "fsck", "--full", "--strict")


async def test_spoiled_objects_are_had_again(tmp_path: Path, origin: Origin, repository: Repository) -> None:
    mirrors = make_mirrors(tmp_path)
    await mirrors.fetch(origin)
    spoil(mirrors.folder(NAME).path)
    sha = repository.commit({"more": "x"})
    await mirrors.fetch(origin)
    assert [each.text for each in await mirrors.workflows(NAME, sha)] == ["name: x\n"]


async def test_a_mirror_without_its_head_is_made_anew(tmp_path: Path, origin: Origin) -> None:
    mirrors = make_mirrors(tmp_path)
    await mirrors.fetch(origin)
    (mirrors.folder(NAME).path / "HEAD").unlink()
    assert await mirrors.resolve(NAME, "refs/heads/main") is None
    await mirrors.fetch(origin)
    assert await mirrors.resolve(NAME, "refs/heads/main") is not None


async def test_damage_that_reading_finds_is_mended_by_the_next_fetch(
    tmp_path: Path, origin: Origin, repository: Repository
) -> None:
    mirrors = make_mirrors(tmp_path)
    sha = repository.git("rev-parse", "HEAD")
    await mirrors.fetch(origin, wanted=sha)
    blob = repository.git("rev-parse", "HEAD:.ci.yml")
    mirror = mirrors.folder(NAME).path
    loosen(mirror)
    (mirror / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(TransientError):
        await mirrors.workflows(NAME, sha)
    await mirrors.fetch(origin, wanted=sha)
    assert len(await mirrors.workflows(NAME, sha)) == 1


def loosen(mirror: Path) -> None:
    """Let every object of a mirror lie in a file of its own."""
    packs = list(mirror.glob("objects/pack/*.pack"))
    for pack in packs:
        aside = mirror / pack.name
        pack.rename(aside)
        git(mirror, "unpack-objects", "-q", give=aside.read_bytes())
        aside.unlink()
        pack.with_suffix(".idx").unlink()


async def test_another_repository_is_not_touched_by_a_damaged_one(
    tmp_path: Path, origin: Origin, host: GitServer
) -> None:
    mirrors = make_mirrors(tmp_path)
    other = host.repository("octo/other")
    sha = other.commit({"a": "a"})
    await mirrors.fetch(origin)
    await mirrors.fetch(Origin(name="octo/other", url=other.url))
    spoil(mirrors.folder(NAME).path)
    await mirrors.fetch(origin)
    assert await mirrors.resolve("octo/other", sha) == sha
    assert not mirrors.folder("octo/other").damaged.exists()


async def test_a_host_that_fails_does_not_cost_the_mirror(
    tmp_path: Path, origin: Origin, host: GitServer
) -> None:
    mirrors = make_mirrors(tmp_path)
    await mirrors.fetch(origin)
    for mode in (Mode.ERROR, Mode.CUT):
        host.mode = mode
        if mode is Mode.ERROR:
            with pytest.raises(TransientError):
                await mirrors.fetch(origin)
    assert not mirrors.folder(NAME).damaged.exists()
    assert names(tmp_path / "mirrors") == {
        mirrors.folder(NAME).path.name,
        mirrors.folder(NAME).path.stem + ".lock",
    }


async def test_two_processes_that_want_a_commit_fetch_it_once(
    tmp_path: Path, origin: Origin, host: GitServer, repository: Repository
) -> None:
    both = [make_mirrors(tmp_path), make_mirrors(tmp_path)]
    sha = repository.git("rev-parse", "HEAD")
    await asyncio.gather(*(mirrors.fetch(origin, wanted=sha) for mirrors in both))
    assert (host.most_at_once, host.fetches.total()) == (1, 1)
    # A new mirror asks what there is, and fetches; the second one asks nothing.
    assert [method for method, _, _ in host.seen].count("GET") == 2
    assert await both[1].resolve(NAME, sha) == sha


async def test_whoever_wants_what_is_new_gets_it_beside_one_who_wants_a_commit(
    tmp_path: Path, origin: Origin, repository: Repository
) -> None:
    mirrors = make_mirrors(tmp_path)
    await mirrors.fetch(origin)
    old, new = repository.git("rev-parse", "HEAD"), repository.commit()
    fetcher, folder = Fetcher(mirrors.access, MirrorLimits(seconds=30)), mirrors.folder(NAME)
    await fetcher.fetch(origin, folder, lambda: frozenset({old}))
    assert await mirrors.resolve(NAME, new) is None
    assert await fetcher.fetch(origin, folder, lambda: frozenset({old, ""})) == frozenset()
    assert await mirrors.resolve(NAME, new) == new


async def test_a_host_that_says_nothing_is_left(tmp_path: Path, origin: Origin, host: GitServer) -> None:
    mirrors = make_mirrors(tmp_path, seconds=0.3, stall=600)
    host.mode = Mode.SILENT
    async with asyncio.timeout(30):
        with pytest.raises(TransientError, match=r"not fetched within 0\.3 seconds|told nothing"):
            await mirrors.fetch(origin)
        await until_none_talks_to(host)


async def until_none_talks_to(host: GitServer) -> None:
    while any(host.address in line for line in command_lines()):  # noqa: ASYNC110 - of other processes
        await asyncio.sleep(0.01)


async def test_a_host_that_stalls_is_left(tmp_path: Path, origin: Origin, host: GitServer) -> None:
    mirrors = make_mirrors(tmp_path, stall=1)
    host.mode = Mode.SILENT
    with pytest.raises(TransientError, match="too slow"):
        await mirrors.fetch(origin)


async def test_a_repository_with_longer_ids(tmp_path: Path, host: GitServer) -> None:
    repository = host.repository("octo/long", ids="sha256")
    before = repository.commit({".ci.yml": "name: x\n"})
    sha = repository.commit({"a/b": "b\n"})
    mirrors, origin = make_mirrors(tmp_path), Origin(name="octo/long", url=repository.url)
    await mirrors.fetch(origin, wanted=sha)
    assert len(sha) == 64
    assert [each.path for each in await mirrors.workflows("octo/long", sha)] == [".ci.yml"]
    assert await mirrors.changed_files("octo/long", before, sha, merge_base=True) == ("a/b",)
    assert await mirrors.changed_files("octo/long", "0" * 64, sha, merge_base=False) == (".ci.yml", "a/b")
    state = SourceState(sha=sha, branch="main", tag=None, dirty=False, repository="", default_branch="main")
    target = tmp_path / "target"
    target.mkdir()
    assert await MirrorSource(mirrors, origin, state, ref="refs/heads/main").copy_to(target) == 2
    assert git(target, "status", "--porcelain", "--branch") == "## main...origin/main"


def command_lines() -> list[str]:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return lines


async def test_a_repository_that_is_too_large(tmp_path: Path, origin: Origin, repository: Repository) -> None:
    mirrors = make_mirrors(tmp_path, size=1000)
    repository.commit({f"n{number}": os.urandom(500) for number in range(120)})
    with pytest.raises(TooLarge):
        await mirrors.fetch(origin)
    assert not mirrors.folder(NAME).path.exists()
    assert not mirrors.folder(NAME).new.exists()


async def test_objects_that_attack_are_refused(
    tmp_path: Path, origin: Origin, repository: Repository
) -> None:
    blob = repository.git("hash-object", "-w", "--stdin", give=b"x")
    inner = repository.git("mktree", give=f"100644 blob {blob}\tconfig\n".encode())
    tree = repository.git("mktree", give=f"040000 tree {inner}\t.git\n".encode())
    commit = repository.git("commit-tree", "-m", "attack", tree)
    repository.git("update-ref", "refs/heads/attack", commit)
    repository.push("attack")
    with pytest.raises(UsageError, match=r"hasDotgit|contains '\.git'"):
        await make_mirrors(tmp_path).fetch(origin)


async def test_refs_with_the_words_of_a_shell_are_only_refs(
    tmp_path: Path, origin: Origin, repository: Repository
) -> None:
    mirrors = make_mirrors(tmp_path)
    hostile = [
        "refs/heads/$(touch${IFS}ran)",
        "refs/heads/`id`",
        "refs/heads/a;b|c&d",
        "refs/heads/'\"",
        "refs/heads/ü",
    ]
    for ref in hostile:
        repository.push(f"HEAD:{ref}")
    await mirrors.fetch(origin)
    sha = repository.git("rev-parse", "HEAD")
    for ref in hostile:
        assert await mirrors.resolve(NAME, ref) == sha
    assert set(hostile) < set(await mirrors.heads(origin))


async def test_hooks_and_settings_of_a_mirror_run_nothing(
    tmp_path: Path, origin: Origin, repository: Repository
) -> None:
    mirrors = make_mirrors(tmp_path)
    await mirrors.fetch(origin)
    mirror, trap = mirrors.folder(NAME).path, tmp_path / "ran"
    (mirror / "hooks").mkdir(exist_ok=True)
    hook = mirror / "hooks/reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {trap}\n")
    hook.chmod(0o755)
    git(mirror, "config", "core.fsmonitor", f"touch {trap}")
    git(mirror, "config", "credential.helper", f"!touch {trap}")
    sha = repository.commit({"x": "x"})
    await mirrors.fetch(origin)
    await mirrors.workflows(NAME, sha)
    assert not trap.exists()


async def test_credentials_are_in_no_command_line_and_no_file(
    tmp_path: Path, origin: Origin, host: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.user, host.secret = "tess", SECRET
    told = tmp_path / "told"
    stand_in(tmp_path / "bin", "git", f'printf "%s\\n" "$@" >> {told}\nexec {shutil.which("git")} "$@"\n')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    mirrors = make_mirrors(tmp_path)
    await mirrors.fetch(Origin(name=NAME, url=origin.url, user="tess", secret=SECRET))
    assert "fetch" in told.read_text().split()
    encoded = [authorization.rpartition(" ")[2] for _, _, authorization in host.seen if authorization]
    assert encoded
    for path in (told, *(tmp_path / "mirrors").rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            assert not any(needle.encode() in content for needle in (SECRET, *encoded))
    assert SECRET not in repr(
        rules_for(Origin(name=NAME, url=origin.url, secret=SECRET), mirrors.access, MirrorLimits()).variables
    )


def stand_in(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}")
    (folder / name).chmod(0o755)


async def test_ssh_is_asked_without_questions_and_with_our_options(
    tmp_path: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    served = f'cd {tmp_path} && eval "git upload-pack {repository.bare}"'
    stand_in(tmp_path / "bin", "ssh", f'printf "%s\\n" "$@" >> {told}\n{served}\n')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    key = tmp_path / "a key's file"
    mirrors = GitMirrors(tmp_path / "mirrors", access=Access(ssh_key=key))
    await mirrors.fetch(Origin(name=NAME, url="ssh://git@example.com/octo/repo.git"))
    assert await mirrors.resolve(NAME, "refs/heads/main") is not None
    words = told.read_text().splitlines()
    assert {
        "-oBatchMode=yes",
        "-oStrictHostKeyChecking=yes",
        f"-oIdentityFile={key}",
        "git@example.com",
    } < set(words)


async def test_many_fetches_leave_few_packs(tmp_path: Path, origin: Origin, repository: Repository) -> None:
    mirrors = make_mirrors(tmp_path)
    await mirrors.fetch(origin)
    mirror = mirrors.folder(NAME).path
    for number in range(25):
        sha = repository.commit({f"f{number}": str(number)})
        await mirrors.fetch(origin)
        git(mirror, "repack", "-q", "--no-write-bitmap-index")
    await mirrors.fetch(origin)
    assert len(list(mirror.glob("objects/pack/*.pack"))) <= 21
    assert await mirrors.resolve(NAME, sha) == sha
    git(mirror, "fsck", "--full", "--strict")


async def test_another_default_branch_is_learned_from_the_host(
    tmp_path: Path, origin: Origin, repository: Repository
) -> None:
    mirrors = make_mirrors(tmp_path)
    await mirrors.fetch(origin)
    repository.push("HEAD:refs/heads/trunk")
    git(repository.bare, "symbolic-ref", "HEAD", "refs/heads/trunk")
    await mirrors.fetch(origin)
    await mirrors.heads(origin)
    assert git(mirrors.folder(NAME).path, "symbolic-ref", "HEAD") == "refs/heads/trunk"


async def test_closing_ends_a_fetch(tmp_path: Path, origin: Origin, host: GitServer) -> None:
    mirrors = make_mirrors(tmp_path)
    host.mode = Mode.SILENT
    fetching = asyncio.create_task(mirrors.fetch(origin))
    await asyncio.to_thread(host.held.acquire)
    await mirrors.close()
    with pytest.raises(asyncio.CancelledError):
        await fetching


@pytest.mark.parametrize(
    "name", ["../../etc", "/etc/passwd", "a/../b", "", "\0", "x" * 5000, "ü/ü", "\ud800"]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    folder = folder_of(tmp_path, name).path
    assert folder.parent == tmp_path
    assert len(folder.name) < 100
    assert folder != folder_of(tmp_path, name + "x").path


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("fatal: unable to access 'https://h/': Could not resolve host: h", TransientError),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 503", TransientError),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 403", Denied),
        ("fatal: Authentication failed for 'https://h/'", Denied),
        ("git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.", Denied),
        ("Host key verification failed.\nfatal: Could not read from remote repository.", Denied),
        ("remote: Repository not found.\nfatal: repository 'https://h/x/' not found", NotFound),
        ("ERROR: Repository not found.\nfatal: Could not read from remote repository.", NotFound),
        ("fatal: write error: No space left on device", InfrastructureError),
        ("fatal: transport 'ext' not allowed", UsageError),
        ("fatal: the remote end hung up unexpectedly", TransientError),
    ],
)
def test_complaints_of_git_have_their_meaning(said: str, kind: type[PawlError]) -> None:
    error = from_complaint(said, Origin(name=NAME, url="https://h/x"))
    assert type(error) is kind


def test_a_complaint_tells_no_secret() -> None:
    origin = Origin(name=NAME, url="https://h/x", user="tess", secret=SECRET)
    said = f"fatal: unable to access 'https://tess:{SECRET}@h/x/': \x1b[31mtoken {SECRET} timed out"
    error = from_complaint(said, origin)
    assert error is not None
    assert SECRET not in error.message
    assert "\x1b" not in error.message


async def test_a_command_that_tells_nothing_is_ended(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    try:
        with os.fdopen(reader, "rb") as silent, pytest.raises(GitError, match="told nothing for"):
            await Git(tmp_path, Rules(seconds=0.2)).run("hash-object", "--stdin", stdin=silent)
    finally:
        os.close(writer)
