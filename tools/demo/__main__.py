"""`make demo`: from a push to a commit status, with a real git host, a real server and real containers.

Everything is on this machine, at addresses that no other machine reaches, and below one temporary folder.
It ends with the exit code of the run: 0 when it succeeded. Ctrl-C ends it and everything it started.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from pawl.testing.git_http import git_environment
from tools.demo.forge import NAME, Delivered, Forge, Status, serving
from tools.demo.installation import DemoError, Installation, write_private
from tools.demo.reading import Reading
from tools.demo.telling import Telling

_PROJECT = Path(__file__).resolve().parents[2] / "examples/demo"
_PATIENCE = 60
_COLOURS = {"success": "green", "failure": "red", "error": "red", "pending": "yellow"}


class Interrupted(Exception):  # noqa: N818 - it is no error
    """Somebody wants the demo to end.

    Attributes:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def main() -> int:
    """Run the demo and return its exit code."""
    parser = argparse.ArgumentParser(prog="tools/demo/start", description=__doc__)
    parser.add_argument("--executor", choices=["docker", "host"], required=True, help="what runs the jobs")
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    options = parser.parse_args()
    telling = Telling()
    folder = Path(tempfile.mkdtemp(prefix="pawl-demo-"))
    code = 0
    try:
        with ExitStack() as stack:
            stack.enter_context(_interruptible())
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            code = _Demo(folder.resolve(), options.executor, telling, stack).run(keep=options.keep)
    except Interrupted as interrupted:
        telling.plain("Ended, and everything that was started is gone.")
        return 128 + interrupted.number
    except BrokenPipeError:  # whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except DemoError as error:
        sys.stderr.write(f"error: {error}\n")
        return 3
    return code


@contextmanager
def _interruptible() -> Iterator[None]:
    """Raise `Interrupted` for the first signal that asks for the end; what ends then is not broken off."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(number: int, _: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(number)

    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class _Demo:
    """One demo."""

    folder: Path
    executor: str
    telling: Telling
    stack: ExitStack
    forge: Forge = field(init=False)
    pawl: Installation = field(init=False)
    pushed_at: float = field(init=False, default=0.0)
    last: Status | None = field(init=False, default=None)
    reading: Reading = field(init=False, default_factory=Reading)
    heard: threading.Condition = field(init=False, default_factory=threading.Condition)

    def run(self, *, keep: bool) -> int:
        """Go the whole way and return the exit code."""
        self._begin()
        self._connect()
        push = self._push()
        run = self._wait_for_run()
        conclusion = self._follow(run)
        push.join()
        self._sum_up(run, self._wait_for_status(), keep=keep)
        if keep:
            signal.pause()
        return 0 if conclusion == "success" else 1

    def _begin(self) -> None:
        """Start the forge with its repository, and the server."""
        self.forge = self.stack.enter_context(serving(Forge(self.folder / "forge", self._hear)))
        self._seed()
        self.telling.step(f"A forge with the private repository {NAME}: {self.forge.clone_url}")
        if self.executor == "host":
            self.telling.fact(
                "No container engine is used: jobs run on this machine itself, with no isolation.",
                colour="yellow",
            )
        shutil.copy(_PROJECT / "pawl.toml", self.folder / "pawl.toml")
        self.pawl = Installation(self.folder, self.executor)
        self._command(self.pawl.serve)
        self.stack.callback(self.pawl.end)
        self.pawl.start()
        self.telling.fact(f"The server answers at {self.pawl.address}")

    def _seed(self) -> None:
        """Put the example project into the forge's repository, as its first commit."""
        self.forge.bare.mkdir(parents=True)
        self._git(self.forge.bare, "init", "-q", "--bare", "-b", "main")
        self._git(self.forge.bare, "config", "http.receivepack", "true")
        work = self.folder / "words"
        shutil.copytree(_PROJECT, work, ignore=shutil.ignore_patterns("runs"))
        self._git(work, "init", "-q", "-b", "main")
        self._git(work, "remote", "add", "origin", self.forge.clone_url)
        self._git(work, "config", "user.name", "Ann")
        self._git(work, "config", "user.email", "ann@example.com")
        self._keep_token(work)
        self._git(work, "add", "-A")
        self._git(work, "commit", "-q", "-m", "A word counter")
        self._git(work, "push", "-q", "-u", "origin", "main")

    def _connect(self) -> None:
        """Add the project to the server, and the webhook to the forge."""
        secret = os.urandom(20).hex()
        for name, text in (("hook.txt", secret), ("token.txt", self.forge.token)):
            write_private(self.folder / name, text)
        urls = ["--url", self.forge.clone_url, "--api-url", self.forge.api_url]
        secrets = ["--hook-secret", "hook.txt", "--git-token", "token.txt"]
        command = ["pawl", "project", "add", NAME, "--forge", "gitea", *urls, *secrets]
        self._command(command)
        told = self.pawl.pawl(*command[1:])
        address = next(word for word in told.split() if word.startswith("http"))
        self.forge.hook = (address, secret)
        self.telling.fact(f"The forge sends its webhooks to {address}")

    def _push(self) -> threading.Thread:
        """Commit a change and push it; return the thread that does, since the run begins meanwhile."""
        work = self.folder / "words"
        with (work / "words/latin.txt").open("a", encoding="utf-8") as file:
            file.write("Ita est.\n")
        self._git(work, "commit", "-q", "-a", "-m", "It is so")
        self._command(["git", "push"])
        self.pushed_at = time.monotonic()
        thread = threading.Thread(target=self._git, args=(work, "push", "-q"), daemon=True)
        thread.start()
        return thread

    def _wait_for_run(self) -> int:
        end = time.monotonic() + _PATIENCE
        while not (runs := self.pawl.get("/api/runs?limit=1")["runs"]):
            if time.monotonic() > end:
                raise DemoError(f"no run was started: {self.pawl.pawl('deliveries')}")
            time.sleep(0.01)
        run = runs[0]
        self.telling.step(f"Run {run['id']} of {run['name']}, for {run['sha'][:12]}, on {self.executor}")
        return int(run["id"])

    def _follow(self, run: int) -> str:
        """Tell the run's log as it comes and return how the run ended."""
        for job, line in self.reading.lines(self.pawl.follow(run)):
            self.telling.line(f"{job}: {line}")
        conclusion = str(self.pawl.get(f"/api/runs/{run}")["conclusion"])
        self.telling.fact(f"Run {run}: {conclusion}", colour=_COLOURS.get(conclusion, "red"))
        return conclusion

    def _hear(self, told: Status | Delivered) -> None:
        """Tell what the forge did or got."""
        if isinstance(told, Delivered):
            answer = f"answered {told.answer} in {told.seconds * 1000:.0f} ms"
            self.telling.step(f"The forge has {told.sha[:12]}; its signed webhook was {answer}")
            return
        line = f"Commit status at the forge: {told.context}: {told.state}, {told.description}"
        self.telling.fact(line, colour=_COLOURS.get(told.state))
        with self.heard:
            self.last = told
            self.heard.notify_all()

    def _wait_for_status(self) -> Status:
        """Return what the forge has as the last word on the commit."""
        with self.heard:
            has_last = self.heard.wait_for(
                lambda: self.last is not None and self.last.state != "pending", timeout=_PATIENCE
            )
        if not has_last or self.last is None:
            raise DemoError(f"the forge got no commit status: {self.pawl.pawl('deliveries')}")
        return self.last

    def _sum_up(self, run: int, status: Status, *, keep: bool) -> None:
        telling, reading = self.telling, self.reading
        telling.plain()
        telling.step(
            f"From `git push` to the first log line: {reading.first - self.pushed_at:.2f} s;"
            f" to the first of a step: {reading.first_of_step - self.pushed_at:.2f} s."
        )
        telling.plain(f"The status links to {status.url}, a page that comes with the dashboard.")
        telling.plain(f"The API has {self.pawl.address}/api/runs/{run} and /api/deliveries/1, for its token.")
        if not keep:
            telling.plain("All of it ends now and is removed; `make demo KEEP=1` leaves it, to look around.")
            return
        telling.plain("Everything goes on until Ctrl-C. In another terminal:")
        pawl = shlex.quote(str(Path(sys.executable).parent))
        for command in (
            f"export PATH=$PATH:{pawl} PAWL_DATA={shlex.quote(str(self.pawl.data))}",
            f"cd {shlex.quote(str(self.folder / 'words'))}",
            "pawl deliveries show 1",
            f"pawl logs {run} --server --job report",
            "git commit --allow-empty -m again && git push",
        ):
            telling.plain(f"  {command}")

    def _command(self, words: list[str]) -> None:
        self.telling.step(f"$ {shlex.join(words)}")

    def _keep_token(self, work: Path) -> None:
        """Give git the token as people do: in a file of theirs, on no command line."""
        file = self.folder / "credentials"
        address = self.forge.address.replace("://", f"://ann:{self.forge.token}@")
        write_private(file, f"{address}\n")
        self._git(work, "config", "credential.helper", f"store --file={shlex.quote(str(file))}")

    @staticmethod
    def _git(folder: Path, *words: str) -> None:
        command = ["git", *words]
        done = subprocess.run(
            command, cwd=folder, env=git_environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise DemoError(f"git {words[0]}: {done.stderr.strip()}")


if __name__ == "__main__":
    sys.exit(main())
