from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from pawl.adapters.executor_docker import copying
from pawl.adapters.executor_docker.copying import pack, unpack
from pawl.adapters.executor_docker.layout import Layout
from pawl.core.model.errors import InfrastructureError


def _tar(*members: tuple[tarfile.TarInfo, bytes]) -> io.BytesIO:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    file.seek(0)
    return file


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "temp").mkdir()
    return Layout({tmp_path / "temp": "/pawl/temp"})


def test_files_come_back_where_they_were_asked_for(layout: Layout, tmp_path: Path) -> None:
    archive = _tar((_member("pawl/temp/a/b"), b"x"), (_member("pawl/temp/c"), b"y"))
    unpack(archive, ["/pawl/temp/a"], layout.outside)
    assert (tmp_path / "temp/a/b").read_bytes() == b"x"
    assert not (tmp_path / "temp/c").exists()


@pytest.mark.parametrize("name", ["pawl/temp/../../evil", "../evil", "/etc/evil", "pawl/other/evil", "evil"])
def test_what_was_not_asked_for_is_left_out(layout: Layout, tmp_path: Path, name: str) -> None:
    unpack(_tar((_member(name), b"x")), ["/pawl/temp"], layout.outside)
    assert not list(tmp_path.rglob("*evil*"))


def test_links_and_devices_are_left_out(layout: Layout, tmp_path: Path) -> None:
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)
    members = [
        (_member(f"pawl/temp/{number}", kind, "/etc/passwd"), b"") for number, kind in enumerate(kinds)
    ]
    unpack(_tar(*members), ["/pawl/temp"], layout.outside)
    assert not list((tmp_path / "temp").iterdir())


def test_a_link_of_ours_is_not_followed(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "temp" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(InfrastructureError):
        unpack(_tar((_member("pawl/temp/link/evil"), b"x")), ["/pawl/temp"], layout.outside)
    assert not list((tmp_path / "outside").iterdir())


def test_junk_is_an_error_of_the_infrastructure(layout: Layout) -> None:
    with pytest.raises(InfrastructureError):
        unpack(io.BytesIO(b"no tar at all" * 100), ["/pawl/temp"], layout.outside)


def test_too_many_files_are_refused(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    members = [(_member(f"pawl/temp/{number}"), b"") for number in range(4)]
    monkeypatch.setattr(copying, "MOST_FILES", 4)
    unpack(_tar(*members), ["/pawl/temp"], layout.outside)
    monkeypatch.setattr(copying, "MOST_FILES", 3)
    with pytest.raises(InfrastructureError, match="too many"):
        unpack(_tar(*members), ["/pawl/temp"], layout.outside)


def test_what_is_sent_is_uncompressed_and_nobodys(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "temp" / "f").write_text("x")
    file = io.BytesIO()
    pack(layout.folders, file)
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r:") as archive:
        assert {(member.name, member.uid, member.uname) for member in archive} == {
            ("pawl/temp", 0, ""),
            ("pawl/temp/f", 0, ""),
        }
