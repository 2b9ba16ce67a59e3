"""The working tree as a source, with real git."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pawl.adapters.git.tree import WorkingTree, history, listing, repository_name
from pawl.core.model.errors import InfrastructureError, UsageError


def git(folder: Path, *arguments: str) -> str:
    identity = (
        "-c",
        "user.name=A U Thor",
        "-c",
        "user.email=a@example.org",
        "-c",
        "protocol.file.allow=always",
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    told = subprocess.run(
        ["git", "-C", folder, *identity, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    return told.stdout


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture(autouse=True)
def no_global_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    write(root, a_txt="a\n", src__b_py="b\n", _gitignore="*.o\nbuild/\n")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("a.txt")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "First\n\nbody")
    git(root, "tag", "v1.0")
    git(root, "remote", "add", "origin", "https://me:token@example.org/owner/name.git")
    return root


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def tree_of(root: Path) -> set[str]:
    files = (path for path in root.rglob("*") if path.is_symlink() or path.is_file())
    return {str(path.relative_to(root)) for path in files if ".git" not in path.relative_to(root).parts}


def inodes_of(root: Path) -> set[int]:
    return {path.lstat().st_ino for path in root.rglob("*")}


def fingerprint(root: Path) -> dict[str, tuple[int, int, int]]:
    facts = {path: path.lstat() for path in [root, *root.rglob("*")]}
    return {str(path): (fact.st_mtime_ns, fact.st_ino, fact.st_size) for path, fact in facts.items()}


async def test_what_git_shows_comes_along_and_what_it_ignores_does_not(
    repository: Path, workspace: Path
) -> None:
    write(repository, new_txt="new", x_o="object", build__out="out", _pawl__runs__1__x="own")
    (repository / "a.txt").write_text("changed\n")
    (repository / "src/b.py").unlink()
    assert await WorkingTree(repository).copy_to(workspace) == 5
    assert tree_of(workspace) == {"a.txt", ".gitignore", "run.sh", "link", "new.txt"}
    assert (workspace / "a.txt").read_text() == "changed\n"
    assert (workspace / "run.sh").stat().st_mode & 0o777 == 0o755
    assert os.readlink(workspace / "link") == "a.txt"  # noqa: PTH115 - the link itself


async def test_git_in_the_workspace_tells_the_same_as_in_the_tree(repository: Path, workspace: Path) -> None:
    write(repository, new_txt="new", src__b_py="changed")
    (repository / "a.txt").unlink()
    git(repository, "add", "new.txt")
    await WorkingTree(repository).copy_to(workspace)
    for question in ("status --porcelain", "log", "describe --tags", "diff", "branch -vv", "tag"):
        assert git(workspace, *question.split()) == git(repository, *question.split())
    git(workspace, "fsck", "--strict")


async def test_copying_leaves_no_trace_in_the_tree(repository: Path, workspace: Path) -> None:
    write(repository, a_txt="changed")
    os.utime(repository / "src/b.py")  # the index would like to be refreshed
    before = fingerprint(repository)
    tree = WorkingTree(repository)
    await tree.copy_to(workspace)
    await tree.state()
    await tree.changed_files(None)
    assert fingerprint(repository) == before


async def test_writing_to_the_workspace_cannot_reach_the_tree(repository: Path, workspace: Path) -> None:
    await WorkingTree(repository).copy_to(workspace)
    assert not inodes_of(repository) & inodes_of(workspace)


async def test_credentials_and_programs_of_the_configuration_stay_behind(
    repository: Path, workspace: Path
) -> None:
    git(repository, "config", "core.fsmonitor", "/bin/evil")
    git(repository, "config", "http.extraheader", "AUTHORIZATION: basic c2VjcmV0")
    (repository / ".git/hooks/post-checkout").write_text("#!/bin/sh\n")
    await WorkingTree(repository).copy_to(workspace)
    config = (workspace / ".git/config").read_text()
    assert "token" not in config
    assert "evil" not in config
    assert "AUTHORIZATION" not in config
    assert git(workspace, "remote", "get-url", "origin").strip() == "https://example.org/owner/name.git"
    assert not (workspace / ".git/hooks").exists()


async def test_a_hostile_configuration_runs_nothing(
    repository: Path, workspace: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    program = tmp_path / "evil"
    program.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    program.chmod(0o755)
    for key in (
        *("core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "gpg.program"),
        *("diff.external", "diff.x.textconv", "credential.helper"),
        *("filter.x.clean", "filter.x.smudge", "filter.x.process"),
    ):
        git(repository, "config", key, str(program))
    git(repository, "config", "core.hooksPath", str(tmp_path))
    git(repository, "config", "log.showSignature", "true")
    (repository / ".gitattributes").write_text("* filter=x diff=x\n")
    (repository / "a.txt").write_text("z\n")
    tree = WorkingTree(repository)
    await tree.state()
    await tree.changed_files("HEAD")
    await tree.copy_to(workspace)
    assert not mark.exists()


async def test_a_forged_git_file_does_not_bring_somebody_elses_history(
    repository: Path, workspace: Path, tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / ".git").write_text(f"gitdir: {repository}/.git\n")
    await WorkingTree(trap).copy_to(workspace)
    assert not (workspace / ".git").exists()


@pytest.mark.parametrize("ignored", ["out\n", ""])
async def test_a_forged_index_names_nothing_outside(
    repository: Path, workspace: Path, tmp_path: Path, ignored: str
) -> None:
    (repository / ".git/info/exclude").write_text(ignored)
    (tmp_path / "secret").write_text("secret")
    (repository / "out").symlink_to(tmp_path)
    blob = git(repository, "hash-object", "-w", "a.txt").strip()
    index = repository / ".git/index"
    for name, forged in (("AA/secret", "../secret"), ("BBB/secret", "out/secret"), ("CCCC/x", ".git/x")):
        git(repository, "update-index", "--add", "--cacheinfo", f"100644,{blob},{name}")
        assert len(name) == len(forged)
        index.write_bytes(index.read_bytes().replace(name.encode(), forged.encode()))
        git_index_checksum(index)
    await WorkingTree(repository).copy_to(workspace)
    expected = {"a.txt", ".gitignore", "run.sh", "link", "src/b.py"}
    assert tree_of(workspace) == (expected if ignored else expected | {"out"})
    assert (workspace / "out").is_symlink() is not bool(ignored)
    assert not (workspace / ".git/x").exists()
    assert (tmp_path / "secret").read_text() == "secret"


def git_index_checksum(index: Path) -> None:
    data = index.read_bytes()[:-20]
    index.write_bytes(data + hashlib.sha1(data).digest())  # noqa: S324 - git's own checksum


async def test_a_second_working_tree_brings_its_history(
    repository: Path, workspace: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    git(repository, "worktree", "add", "-q", "-b", "topic", str(other))
    await WorkingTree(other).copy_to(workspace)
    assert git(workspace, "log", "--format=%s %D") == "First HEAD -> topic, tag: v1.0, main\n"
    assert git(workspace, "status", "--porcelain") == ""


async def test_submodules_and_repositories_inside_come_along_with_their_files(
    repository: Path, workspace: Path, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    shutil.copytree(repository, library, symlinks=True)
    git(repository, "submodule", "add", "-q", str(library), "lib")
    git(repository, "commit", "-qam", "With lib")
    shutil.copytree(library, repository / "nested", symlinks=True)
    (repository / "lib/x.o").write_text("ignored")
    await WorkingTree(repository).copy_to(workspace)
    assert {"lib/a.txt", "nested/src/b.py", ".gitmodules"} <= tree_of(workspace)
    assert "lib/x.o" not in tree_of(workspace)


async def test_of_a_large_history_only_the_latest_commit_comes_along(
    repository: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MAX_HISTORY", 10)
    write(repository, a_txt="second")
    git(repository, "commit", "-qam", "Second")
    write(repository, a_txt="third")
    await WorkingTree(repository).copy_to(workspace)
    assert git(workspace, "log", "--format=%s") == "Second\n"
    assert git(workspace, "status", "--porcelain") == " M a.txt\n"
    assert git(workspace, "rev-parse", "HEAD") == git(repository, "rev-parse", "HEAD")


async def test_a_folder_without_git_is_copied_whole_without_our_own(tmp_path: Path, workspace: Path) -> None:
    root = tmp_path / "plain"
    write(root, a_txt="a", x__y__z="z", _pawl__runs__1__x="own", _pawl__workflows__ci_yml="on: push")
    (root / "loop").symlink_to(".")
    os.mkfifo(root / "fifo")
    assert await WorkingTree(root).copy_to(workspace) == 4
    assert tree_of(workspace) == {"a.txt", "x/y/z", ".pawl/workflows/ci.yml", "loop"}
    state = await WorkingTree(root).state()
    assert (state.sha, state.branch, state.repository) == ("0" * 40, None, "local/plain")
    assert await WorkingTree(root).changed_files(None) is None


async def test_a_folder_inside_a_repository_brings_its_own_files_only(
    repository: Path, workspace: Path
) -> None:
    write(repository, src__x_o="ignored")
    assert await WorkingTree(repository / "src").copy_to(workspace) == 1
    assert tree_of(workspace) == {"b.py"}
    assert not (workspace / ".git").exists()
    assert (await WorkingTree(repository / "src").state()).branch == "main"


async def test_an_ignored_folder_inside_a_repository_is_a_project_of_its_own(
    repository: Path, workspace: Path
) -> None:
    write(repository, build__demo__x="x")
    assert await WorkingTree(repository / "build/demo").copy_to(workspace) == 1
    assert (await WorkingTree(repository / "build/demo").state()).repository == "local/demo"


async def test_the_state_of_a_clean_tree(repository: Path) -> None:
    state = await WorkingTree(repository).state()
    assert state.sha == git(repository, "rev-parse", "HEAD").strip()
    assert (state.branch, state.tag, state.dirty) == ("main", "v1.0", False)
    assert (state.repository, state.default_branch) == ("owner/name", "main")
    assert (state.author, state.message) == ("A U Thor <a@example.org>", "First\n\nbody")


async def test_the_state_of_a_dirty_detached_tree(repository: Path) -> None:
    git(repository, "commit", "-q", "--allow-empty", "-m", "Second")
    git(repository, "checkout", "-q", "--detach")
    write(repository, new_txt="x")
    state = await WorkingTree(repository).state()
    assert (state.branch, state.tag, state.dirty) == (None, None, True)


async def test_the_state_before_the_first_commit(tmp_path: Path, workspace: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "trunk", "fresh")
    write(tmp_path / "fresh", a_txt="a")
    tree = WorkingTree(tmp_path / "fresh")
    state = await tree.state()
    assert (state.sha, state.branch, state.dirty, state.message) == ("0" * 40, "trunk", True, "")
    assert await tree.changed_files(None) is None
    assert await tree.copy_to(workspace) == 1
    assert git(workspace, "status", "--porcelain") == "?? a.txt\n"


async def test_changed_files_on_a_branch_are_those_since_it_left_the_default_branch(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "topic")
    write(repository, src__c_py="c", src__d_py="d")
    git(repository, "add", "src/c.py")
    git(repository, "commit", "-qm", "c")
    git(repository, "mv", "a.txt", "moved.txt")
    expected = ("a.txt", "moved.txt", "src/c.py", "src/d.py")
    assert await WorkingTree(repository).changed_files(None) == expected
    assert await WorkingTree(repository).changed_files("HEAD") == ("a.txt", "moved.txt", "src/d.py")
    assert await WorkingTree(repository / "src").changed_files(None) == ("c.py", "d.py")


async def test_changed_files_on_the_default_branch_are_those_of_the_last_commit(repository: Path) -> None:
    assert await WorkingTree(repository).changed_files(None) is None
    write(repository, c_txt="c")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "c")
    assert await WorkingTree(repository).changed_files(None) == ("c.txt",)


@pytest.mark.parametrize("base", ["--output=/tmp/x", "nope", "", "HEAD:a.txt", "a..b"])
async def test_a_base_that_is_no_commit_is_refused(repository: Path, base: str) -> None:
    with pytest.raises(UsageError, match="no commit"):
        await WorkingTree(repository).changed_files(base)


async def test_names_that_are_not_utf8_or_hold_newlines_are_copied(repository: Path, workspace: Path) -> None:
    for name in (b"caf\xe9", b"new\nline", b" -n "):
        with open(os.fsencode(repository) + b"/" + name, "w") as file:  # noqa: PTH123, ASYNC230 - raw names
            file.write("x")
    await WorkingTree(repository).copy_to(workspace)
    assert {b"caf\xe9", b"new\nline", b" -n "} <= set(os.listdir(os.fsencode(workspace)))  # noqa: PTH208 - raw


async def test_too_many_files_are_refused(
    repository: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MAX_FILES", 3)
    with pytest.raises(UsageError, match="more than 3 files"):
        await WorkingTree(repository).copy_to(workspace)


async def test_a_broken_repository_is_told_not_copied_wrongly(repository: Path, workspace: Path) -> None:
    (repository / ".git/index").write_bytes(b"DIRC\x00\x00\x00\x02 broken")
    with pytest.raises(InfrastructureError, match="ls-files"):
        await WorkingTree(repository).copy_to(workspace)


async def test_git_variables_of_the_environment_lead_nowhere(
    repository: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nonexistent")
    assert await WorkingTree(repository).copy_to(workspace) == 5


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/o/n.git", "o/n"),
        ("https://user:pw@github.com/o/n", "o/n"),
        ("git@github.com:o/n.git", "o/n"),
        ("ssh://git@host:22/o/n.git/", "o/n"),
        ("https://gitlab.com/group/sub/n.git", "group/sub/n"),
        ("/srv/git/o/n.git", ""),
        ("file:///srv/git/n.git", ""),
        ("../n", ""),
        ("", ""),
        ("http://[", ""),
    ],
)
def test_the_repository_is_named_after_its_remote(url: str, name: str) -> None:
    assert repository_name(url) == name
