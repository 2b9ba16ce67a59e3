"""The folders that jobs work in: outside the project, ours alone, and gone when nobody wants them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pawl.adapters.runs_folder import RunsFolder, sweep_work, work_home
from pawl.adapters.runs_folder.work import make_work
from pawl.core.model.errors import InfrastructureError
from pawl.core.model.status import Conclusion


def test_the_folder_is_where_the_environment_says() -> None:
    assert work_home({"PAWL_WORK": "/fast", "XDG_CACHE_HOME": "/cache"}) == Path("/fast")
    assert work_home({"PAWL_WORK": "here"}) == Path.cwd() / "here"
    assert work_home({"XDG_CACHE_HOME": "/cache"}) == Path("/cache/pawl/work")
    assert work_home({"XDG_CACHE_HOME": "relative"}) == Path.home() / ".cache/pawl/work"


def test_each_run_has_a_folder_of_its_own_outside_the_project(tmp_path: Path) -> None:
    project = tmp_path / "My project!"
    runs = RunsFolder(project, work=tmp_path / "deep" / "work")
    first, second = (runs.create(None, workflow="CI", time=1) for _ in range(2))
    assert first.work.name.startswith("1-")
    assert second.work.parent == tmp_path / "deep" / "work"
    assert first.work.parent.stat().st_mode & 0o777 == 0o700
    assert not first.work.is_relative_to(project)


def test_only_what_nobody_wants_is_swept(tmp_path: Path) -> None:
    home = tmp_path / "home"
    dead = make_work(home, tmp_path / "a/.pawl/runs/1", "dead")
    living = make_work(home, tmp_path / "a/.pawl/runs/2", "living")
    (dead / "job").mkdir()
    (dead / "job" / "file").write_text("x")
    (home / "not ours").mkdir()
    (home / "link").symlink_to(living)
    asked: list[tuple[str, str]] = []

    def is_wanted(owner: str, run: str) -> bool:
        asked.append((owner, run))
        return owner != "dead"

    assert sweep_work(home, is_wanted, dry_run=True).found == (dead,)
    assert dead.exists()
    assert sweep_work(home, is_wanted).found == (dead,)
    assert sorted(path.name for path in home.iterdir()) == sorted(["link", "not ours", living.name])
    assert ("dead", str(tmp_path / "a/.pawl/runs/1")) in asked


def test_a_folder_without_an_owner_is_swept_when_it_is_old(tmp_path: Path) -> None:
    new, old = tmp_path / ".new-1", tmp_path / ".new-2"
    for folder in (new, old):
        folder.mkdir()
    os.utime(old, (1, 1))
    assert sweep_work(tmp_path, lambda *_: True).found == (old,)
    assert new.exists()


def test_no_home_is_nothing_to_sweep(tmp_path: Path) -> None:
    assert sweep_work(tmp_path / "none", lambda *_: False) == sweep_work(tmp_path, lambda *_: False)


def test_a_record_that_names_another_folder_removes_nothing(tmp_path: Path) -> None:
    """A repository may bring a `.pawl/runs/1/run.json` of its own."""
    run = RunsFolder(tmp_path, work=tmp_path / "work").create(None, workflow="CI", time=1)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter").write_text("dear")
    told = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps(told | {"work": str(mine)}))
    assert run.finish(Conclusion.SUCCESS, time=2) == ()
    assert (mine / "letter").exists()


def test_a_folder_that_cannot_be_made_is_said_with_its_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InfrastructureError, match="folder for jobs") as caught:
        RunsFolder(tmp_path, work=tmp_path / "file").create(None, workflow="CI", time=1)
    assert "PAWL_WORK" in (caught.value.hint or "")
