"""`tools/engine/start` and `stop`, with programs of our own in place of dockerd, apt-get and id.

What a real dockerd does, every test that needs an engine shows; here it is what happens around it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools" / "engine"

DOCKERD = f"""#!{sys.executable}
import os, pathlib, signal, socket, sys, time
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
home = pathlib.Path(given["--pidfile"]).parent
with open(home / "starts", "a") as starts:
    starts.write(f"{{os.getpid()}}\\n")
mode = (home / "mode").read_text() if (home / "mode").exists() else ""
if mode == "dies":
    sys.exit('level=fatal msg="no room"')
pathlib.Path(given["--pidfile"]).write_text(str(os.getpid()))
if mode == "hangs":
    (home / "mode").unlink()
    time.sleep(60)
print(f"graphdriver(s)={{mode or 'overlay2'}}", flush=True)
server = socket.socket(socket.AF_UNIX)
server.bind(given["--host"].removeprefix("unix://"))
server.listen()
while True:
    client, _ = server.accept()
    client.recv(4096)
    client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nOK")
    client.close()
"""
APT = """#!/bin/sh
echo "apt-get $*" >>"$0.log"
[ "$1" != install ] || ln -s "${0%/*}/real" "${0%/*}/dockerd"
"""
NEEDED = "cat dirname env flock grep ln mkdir rm sed setsid sh sleep tail tr uname"


class Machine:
    """A machine with an engine's home of its own, and the programs we say it has."""

    def __init__(self, root: Path) -> None:
        self.home = root / "e"
        self.programs = root / "bin"
        self.home.mkdir()
        self.programs.mkdir()
        for name in NEEDED.split():
            program = shutil.which(name)
            assert program, name
            (self.programs / name).symlink_to(program)
        self.has("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        self.has("id", "#!/bin/sh\necho 0\n")
        self.has("dockerd", DOCKERD)

    def has(self, name: str, text: str) -> None:
        program = self.programs / name
        program.unlink(missing_ok=True)
        program.write_text(text)
        program.chmod(0o755)

    def begin(self, tool: str, *words: str) -> subprocess.Popen[str]:
        env = {
            "PATH": str(self.programs),
            "PAWL_ENGINE_PATH": "",  # nor where the system has its own dockerd
            "PAWL_ENGINE_HOME": str(self.home),
            "PAWL_ENGINE_PATIENCE": "2",
        }
        return subprocess.Popen(
            [TOOLS / tool, *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, tool: str, *words: str) -> tuple[int, str, str]:
        process = self.begin(tool, *words)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def start(self) -> tuple[int, str, str]:
        return self.run("start", "--own")

    @property
    def starts(self) -> list[int]:
        path = self.home / "starts"
        return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("m"))  # a short path: a socket's may have 107 bytes
    yield made
    made.run("stop")


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_an_engine_is_started_once_and_stopped(machine: Machine) -> None:
    address = f"DOCKER_HOST=unix://{machine.home}/docker.sock\n"
    assert machine.start()[:2] == (0, address)
    assert machine.start()[:2] == (0, address)
    (pid,) = machine.starts
    code, _, said = machine.run("stop")
    assert (code, said) == (0, "engine: stopped\n")
    assert not is_running(pid)
    assert machine.run("stop")[2] == "engine: not running\n"


def test_two_at_once_start_one_daemon(machine: Machine) -> None:
    both = [machine.begin("start", "--own") for _ in range(2)]
    ends = [process.communicate(timeout=60)[0] for process in both]
    assert ends[0] == ends[1]
    assert [process.returncode for process in both] == [0, 0]
    assert len(machine.starts) == 1


def test_what_a_killed_daemon_left_is_in_nobodys_way(machine: Machine) -> None:
    machine.start()
    os.kill(machine.starts[0], 9)
    assert (machine.home / "docker.sock").is_socket()
    assert machine.start()[0] == 0
    assert len(machine.starts) == 2


def test_a_number_that_another_process_has_now_is_left_alone(machine: Machine) -> None:
    other = subprocess.Popen(["sleep", "60"])
    (machine.home / "docker.pid").write_text(str(other.pid))
    assert machine.run("stop")[2] == "engine: not running\n"
    assert machine.start()[0] == 0
    assert other.poll() is None
    other.kill()
    other.wait()


def test_a_daemon_that_never_answers_is_ended_and_another_started(machine: Machine) -> None:
    (machine.home / "mode").write_text("hangs")
    first = subprocess.Popen(
        [
            machine.programs / "dockerd",
            *("--host", f"unix://{machine.home}/docker.sock", "--data-root", "x"),
            *("--pidfile", machine.home / "docker.pid"),
        ]
    )
    while (machine.home / "mode").exists():
        assert first.poll() is None
    code, _, said = machine.start()
    assert code == 0, said
    assert "does not answer" in said
    assert first.wait(10) == -9
    assert len(machine.starts) == 2


def test_a_daemon_that_cannot_start_is_told_with_its_reason_and_a_mend(machine: Machine) -> None:
    (machine.home / "mode").write_text("dies")
    code, out, said = machine.start()
    assert (code, out) == (1, "")
    assert "no room" in said
    assert "mend:" in said


def test_a_file_system_without_overlay_is_told(machine: Machine) -> None:
    (machine.home / "mode").write_text("vfs")
    code, _, said = machine.start()
    assert code == 0
    assert "cannot do overlay" in said
    assert "ext4" in said


def test_without_dockerd_debians_package_is_installed(machine: Machine) -> None:
    (machine.programs / "dockerd").unlink()
    machine.has("real", DOCKERD)
    machine.has("apt-get", APT)
    assert machine.start()[0] == 0
    assert "install -y --no-install-recommends docker.io" in (machine.programs / "apt-get.log").read_text()


def test_a_package_that_cannot_be_installed_is_told_after_fresh_lists(machine: Machine) -> None:
    (machine.programs / "dockerd").unlink()
    machine.has("apt-get", '#!/bin/sh\necho "$1" >>"$0.log"\necho "E: no route"\n[ "$1" = update ]\n')
    code, _, said = machine.start()
    assert code == 1
    assert "E: no route" in said
    assert (machine.programs / "apt-get.log").read_text().split() == ["install", "update", "install"]


def test_without_root_it_is_said_how_else(machine: Machine) -> None:
    machine.has("id", "#!/bin/sh\necho 1000\n")
    code, _, said = machine.start()
    assert code == 1
    assert "needs root" in said
    assert "DOCKER_HOST" in said


def test_on_another_system_without_dockerd_it_is_said_what_to_install(machine: Machine) -> None:
    (machine.programs / "dockerd").unlink()
    code, _, said = machine.start()
    assert code == 1
    assert "this is no Debian" in said
