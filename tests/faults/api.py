"""A small client of the HTTP API, as a script of a user's would be; it waits where a server is away."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

_AWAY = (ConnectionError, http.client.HTTPException, TimeoutError)


class RefusedError(AssertionError):
    """The server answered with an error."""

    def __init__(self, status: int, told: str) -> None:
        super().__init__(f"{status}: {told[:2000]}")
        self.status = status


@dataclass
class Api:
    """The API of a server at a port of this machine."""

    port: int
    token_file: Path
    _token: str = field(default="", init=False)

    def ask(self, method: str, path: str, body: object = None, *, timeout: float = 60) -> bytes:
        """Make one request and return the body of the answer.

        Raises:
            RefusedError: the status is not one of success.
            OSError, HTTPException: there is no server.
        """
        text = None if body is None else json.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, text, self._headers())
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise RefusedError(answer.status, data.decode("utf-8", "replace"))
        return data

    def get(self, path: str) -> Any:
        """Return what the server has there, asking again while it is away, for two minutes."""
        return json.loads(self._patiently("GET", path, None))

    def post(self, path: str, body: object) -> Any:
        """Ask for something that may be asked for twice, again while the server is away."""
        return json.loads(self._patiently("POST", path, body) or b"null")

    def _patiently(self, method: str, path: str, body: object) -> bytes:
        end = time.monotonic() + 120
        while True:
            try:
                return self.ask(method, path, body)
            except _AWAY:
                if time.monotonic() > end:
                    raise
            except RefusedError as refused:
                if refused.status != 503 or time.monotonic() > end:
                    raise
            time.sleep(0.05)

    def trigger(self, workflow: str, *, path: str = ".pawl/work.yml") -> int:
        """Start a run of a workflow's text and return its id; safe to repeat."""
        run = self.post("/api/runs", trigger_body(workflow, path))
        return int(run["id"])

    def run(self, run: int) -> dict[str, Any]:
        """Return a run's record."""
        found: dict[str, Any] = self.get(f"/api/runs/{run}")
        return found

    def attempts(self, run: int) -> list[dict[str, Any]]:
        """Return the attempts of a run's jobs."""
        found: list[dict[str, Any]] = _listed(self.get(f"/api/runs/{run}/attempts"))
        return found

    def log_lines(self, run: int, **query: object) -> list[str]:
        """Return the lines of a run's log so far; `query` asks for a job, an attempt or a step."""
        path = f"/api/runs/{run}/logs?{urlencode(query)}"
        events = [json.loads(line) for line in self._patiently("GET", path, None).splitlines()]
        return "".join(event["data"] for event in events if event.get("type") == "log_appended").splitlines()

    def first_line(self, run: int, text: str) -> None:
        """Follow a run's log until a line with `text` is there."""
        for event in self.follow(run):
            if event.get("type") == "log_appended" and text in event["data"]:
                return
        raise AssertionError(f"run {run} ended without {text}")

    def follow(self, run: int) -> Iterator[dict[str, Any]]:
        """Yield what a run tells, its log's lines among it, until it ends."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("GET", f"/api/runs/{run}/logs?follow=1", headers=self._headers())
            answer = connection.getresponse()
            while line := answer.readline():
                if line.strip():  # an empty one is a sign of life
                    yield json.loads(line)
        finally:
            connection.close()

    def _headers(self) -> dict[str, str]:
        self._token = self._token or self.token_file.read_text("utf-8").strip()
        return {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}


def trigger_body(workflow: str, path: str = ".pawl/work.yml") -> dict[str, Any]:
    """Return the body that starts a run of a workflow's text."""
    return {
        "repository": "tests/faults",
        "path": path,
        "workflow": workflow,
        "ref": "refs/heads/main",
        "sha": "0123456789abcdef0123456789abcdef01234567",
        "event": "workflow_dispatch",
        "request_id": secrets.token_hex(16),
    }


def _listed(answer: Any) -> list[dict[str, Any]]:
    """Return the list in an answer, which may be a page around it."""
    if isinstance(answer, list):
        return answer
    return next(value for value in answer.values() if isinstance(value, list))
