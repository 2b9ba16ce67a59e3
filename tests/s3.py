"""A real S3 server for tests: moto's, in a process of its own that ends when its parent does."""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

_SERVER = """
import sys
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(*server.get_host_and_port(), flush=True)
sys.stdin.read()  # ends when the parent does
"""


@contextmanager
def running_s3() -> Iterator[str]:
    """Yield the URL of an empty S3 server."""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            host, _, port = server.stdout.readline().strip().partition(" ")
            assert port, "the S3 server did not start"
            yield f"http://{host}:{port}"
        finally:
            server.kill()


def make_bucket(endpoint: str, name: str) -> None:
    """Make an empty bucket."""
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=60)
    try:
        connection.request("PUT", f"/{name}", headers={"Content-Length": "0"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    finally:
        connection.close()
