"""A small forge: one private repository over HTTP, signed webhooks of its pushes, and commit statuses.

It speaks as Gitea does, in as much as the demo needs. It is a real git host and a real sender of webhooks;
only what a forge's people see is missing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pawl.testing.git_http import GitAnswer, answer_git, git_environment, read_body

NAME = "acme/words"
_STATUS = re.compile(rf"/api/v1/repos/{NAME}/statuses/([0-9a-f]{{40}})")
_ZEROS = "0" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A commit status as it was set."""

    sha: str
    context: str
    state: str
    description: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A webhook that was sent: about which commit, and what was answered (0: nothing)."""

    sha: str
    answer: int
    seconds: float


@dataclass(slots=True)
class Forge:
    """The forge.

    Attributes:
        root: where its repositories lie.
        told: is called with what happens, in whichever thread it happens.
        address: where it answers.
        hook: the webhook's address and secret, once there is one.
        token: what git and the API ask for.
    """

    root: Path
    told: Callable[[Status | Delivered], object]
    address: str = ""
    hook: tuple[str, str] | None = None
    token: str = field(default_factory=lambda: secrets.token_hex(20))

    @property
    def bare(self) -> Path:
        """Return the folder of the repository."""
        return self.root / f"{NAME}.git"

    @property
    def clone_url(self) -> str:
        """Return what git clones from."""
        return f"{self.address}/{NAME}.git"

    @property
    def api_url(self) -> str:
        """Return the address of the API."""
        return f"{self.address}/api/v1"

    def heads(self) -> dict[str, str]:
        """Return the commit of each branch, by its full name."""
        command = ["git", "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"]
        done = subprocess.run(
            command, cwd=self.bare, env=git_environment(), capture_output=True, text=True, check=True
        )
        return dict(line.split(" ") for line in done.stdout.splitlines())

    def welcomes(self, authorization: str) -> bool:
        """Return whether a request has the token: as git sends it, or as the API's callers do."""
        kind, _, value = authorization.partition(" ")
        if kind.lower() == "basic":
            value = base64.b64decode(value).decode("utf-8", "replace").partition(":")[2]
        return hmac.compare_digest(value.encode(), self.token.encode())

    def git(self, method: str, path: str, headers: dict[str, str], body: bytes) -> GitAnswer:
        """Answer a request of git's; when it was a push, send a webhook for each branch."""
        is_push = path.endswith("/git-receive-pack") and method == "POST"
        before = self.heads() if is_push else {}
        answer = answer_git(self.root, method, path, headers, body)
        after = self.heads() if is_push and self.hook else {}
        for ref in sorted(after.items() - before.items()):
            told = (ref, before.get(ref[0], _ZEROS))
            threading.Thread(target=self._send, args=told, daemon=True).start()
        return answer

    def set_status(self, sha: str, body: bytes) -> None:
        """Take a commit status.

        Raises:
            ValueError: it is none.
        """
        told = json.loads(body)
        if not isinstance(told, dict) or told.get("state") not in {"pending", "success", "failure", "error"}:
            raise ValueError("no status")
        texts = {name: str(told.get(name, "")) for name in ("context", "state", "description")}
        self.told(Status(sha=sha, url=str(told.get("target_url", "")), **texts))

    def _send(self, head: tuple[str, str], before: str) -> None:
        url, secret = self.hook or ("", "")
        body = json.dumps(
            {
                "ref": head[0],
                "before": before,
                "after": head[1],
                "repository": {"full_name": NAME, "name": NAME.partition("/")[2], "default_branch": "main"},
                "sender": {"login": "ann"},
            }
        ).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Gitea-Event": "push",
            "X-Gitea-Delivery": secrets.token_hex(16),
            "X-Gitea-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
        }
        began = time.monotonic()
        request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - the demo's own server
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
                status = int(answer.status)
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            status = 0
        self.told(Delivered(sha=head[1], answer=status, seconds=time.monotonic() - began))


@contextmanager
def serving(forge: Forge) -> Iterator[Forge]:
    """Serve a forge on a free port of this machine, until the end."""
    handler = type("Handler", (_Handler,), {"forge": forge})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    forge.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    forge: Forge

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Tell nothing: what matters is told by the forge."""

    def do_GET(self) -> None:
        """Answer what git asks first."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Answer a request with a body."""
        self._answer(read_body(dict(self.headers), self.rfile))

    def _answer(self, body: bytes) -> None:
        if not self.forge.welcomes(self.headers.get("Authorization", "")):
            asks = (("WWW-Authenticate", 'Basic realm="forge"'),)
            answer = GitAnswer(status=401, headers=asks, body=b"")
        elif status := _STATUS.fullmatch(self.path):
            answer = self._take(status[1], body)
        elif self.path.startswith(f"/{NAME}.git/"):
            answer = self.forge.git(self.command, self.path, dict(self.headers), body)
        else:
            answer = GitAnswer(status=404, headers=(), body=b"")
        self._write(answer)

    def _take(self, sha: str, body: bytes) -> GitAnswer:
        try:
            self.forge.set_status(sha, body)
        except ValueError:
            return GitAnswer(status=422, headers=(), body=b"{}")
        return GitAnswer(status=201, headers=(("Content-Type", "application/json"),), body=b"{}")

    def _write(self, answer: GitAnswer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
