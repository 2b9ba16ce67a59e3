"""A small HTTP server in a thread, that notes what it is sent: for tests of servers in other processes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Heard:
    """A request."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Listening:
    """The server.

    Attributes:
        before_answer: is called when a request was noted; it may wait.
        status: of every answer.
    """

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    status: int = 200
    before_answer: Callable[[Heard], None] = lambda _: None


@contextmanager
def listening() -> Iterator[Listening]:
    """Run one on a free port of this machine."""
    made = Listening()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            heard = Heard(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            made.heard.append(heard)
            made.before_answer(heard)
            self.send_response(made.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                return

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
