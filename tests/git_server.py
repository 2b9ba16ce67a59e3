"""A git host for tests: real repositories behind `git http-backend`, which can be made to misbehave."""

from __future__ import annotations

import base64
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from pawl.testing.git_http import answer_git, git_environment, read_body

_AUTHOR = ("-c", "user.name=Tess", "-c", "user.email=tess@example.com", "-c", "protocol.file.allow=always")
_WAIT = 60


def git(folder: Path, *arguments: str, give: bytes = b"", env: dict[str, str] | None = None) -> str:
    """Return what a git command tells, without the machine's configuration."""
    done = subprocess.run(
        ["git", *_AUTHOR, *arguments],
        cwd=folder,
        env=git_environment(**(env or {})),
        input=give,
        capture_output=True,
        check=False,
        timeout=_WAIT,
    )
    if done.returncode:
        raise AssertionError(f"git {arguments}: {done.stderr.decode()}")
    return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


class Mode(Enum):
    """How the host answers."""

    WELL = auto()
    ERROR = auto()
    """500 for everything."""
    SILENT = auto()
    """Requests are held until `GitServer.release` is set."""
    CUT = auto()
    """A pack breaks off in its middle."""
    ELSEWHERE = auto()
    """Every request is redirected."""


@dataclass(slots=True)
class Repository:
    """A repository of the host, with a working tree beside it to commit in."""

    bare: Path
    tree: Path
    url: str

    def commit(self, files: dict[str, str | bytes | None] | None = None, message: str = "change") -> str:
        """Write files (None removes one), commit, push and return the commit's id."""
        for name, content in (files or {}).items():
            path = self.tree / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        git(self.tree, "add", "-A")
        git(self.tree, "commit", "-q", "--allow-empty", "-m", message)
        self.push()
        return self.git("rev-parse", "HEAD")

    def push(self, *arguments: str) -> None:
        """Push the branch that is checked out, or what `arguments` say."""
        git(self.tree, "push", "-q", "--force", "origin", *(arguments or ("HEAD",)))

    def git(self, *arguments: str, give: bytes = b"") -> str:
        """Return what a git command in the working tree tells."""
        return git(self.tree, *arguments, give=give)


@dataclass(slots=True)
class GitServer:
    """The host.

    Attributes:
        root: where its repositories lie.
        address: `http://127.0.0.1:port`.
        user, secret: of basic authentication, when set.
        mode: how it answers from now on.
        fetches: packs handed out, by path of the repository.
        most_at_once: the most packs of one repository that were handed out at a time.
        seen: every request: method, path with query, and the header `Authorization`.
        release: lets held requests go on.
    """

    root: Path
    address: str = ""
    user: str = ""
    secret: str = ""
    mode: Mode = Mode.WELL
    fetches: Counter[str] = field(default_factory=Counter)
    most_at_once: int = 0
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    held: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    release: threading.Event = field(default_factory=threading.Event)
    _now: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def repository(self, name: str = "octo/repo", *, ids: str = "sha1") -> Repository:
        """Make an empty repository `name`, with `main` as its branch and `ids` of that kind."""
        bare, tree = self.root / f"{name}.git", self.root / "trees" / name
        bare.mkdir(parents=True)
        tree.mkdir(parents=True)
        git(bare, "init", "-q", "--bare", "-b", "main", f"--object-format={ids}")
        git(bare, "config", "http.receivepack", "true")
        git(tree, "init", "-q", "-b", "main", f"--object-format={ids}")
        git(tree, "remote", "add", "origin", str(bare))
        return Repository(bare=bare, tree=tree, url=f"{self.address}/{name}.git")

    def is_welcome(self, authorization: str) -> bool:
        """Return whether a request may pass."""
        wanted = base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()
        return not self.secret or authorization == f"Basic {wanted}"

    @contextmanager
    def handing_out(self, path: str) -> Iterator[None]:
        """Count a pack while it is handed out."""
        with self._lock:
            self.fetches[path] += 1
            self._now[path] += 1
            self.most_at_once = max(self.most_at_once, self._now[path])
        try:
            yield
        finally:
            with self._lock:
                self._now[path] -= 1


@contextmanager
def git_server(root: Path) -> Iterator[GitServer]:
    """Serve the repositories below `root`, until the end."""
    root.mkdir(parents=True, exist_ok=True)
    host = GitServer(root=root)
    kind = type("Handler", (_Handler,), {"host": host})
    server = _Server(("127.0.0.1", 0), kind)
    host.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        host.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell nothing: that clients leave is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    host: GitServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Tell nothing."""

    def do_GET(self) -> None:
        """Answer what a client asks first."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Answer a request with a body."""
        self._answer(read_body(self.headers, self.rfile))

    def _answer(self, body: bytes) -> None:
        host = self.host
        authorization = self.headers.get("Authorization", "")
        host.seen.append((self.command, self.path, authorization))
        if host.mode is Mode.SILENT:
            host.held.release()
            host.release.wait(_WAIT)
        if host.mode is Mode.ERROR:
            self.send_error(500)
        elif host.mode is Mode.ELSEWHERE:
            self.send_response(302)
            self.send_header("Location", f"{host.address}/elsewhere{self.path}")
            self.end_headers()
        elif not host.is_welcome(authorization):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
        elif b"command=fetch" in body:
            with host.handing_out(urlsplit(self.path).path.removesuffix("/git-upload-pack")):
                self._serve(body)
        else:
            self._serve(body)

    def _serve(self, body: bytes) -> None:
        told = answer_git(self.host.root, self.command, self.path, self.headers, body)
        content = told.body
        self.send_response(told.status)
        for name, value in told.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        is_cut = self.host.mode is Mode.CUT and b"command=fetch" in body
        self.wfile.write(content[: len(content) // 2] if is_cut else content)
