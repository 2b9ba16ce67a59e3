"""P10: webhooks of GitHub's accepted durably a second, and how long one waits at 200 a second."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import Missing, Row, figure
from benchmarks.server import served
from tests.faults.installation import Installation

NAME = "octo/site"
SECRET = "a secret of the benchmark"
BATCH = 3000
CONNECTIONS = 32
RATE = 200
PACED_SECONDS = 10
BODY_BYTES = 8000
"""What GitHub's body of a push of one commit has, about."""


def measure() -> list[Row | Missing]:
    """Return the rows of this module."""
    with served(slots=1) as pawl:
        pawl.start_server()
        # Nothing is fetched: what is measured is taking in, and a host that cannot be reached costs nothing.
        project = {"name": NAME, "forge": "github", "clone_url": "https://localhost:1/octo/site.git"}
        pawl.api.post("/api/projects", {**project, "secrets": {"hook": SECRET}, "poll_seconds": 0})
        _ask_elsewhere(pawl, "flood", 200)
        rates = [_ask_elsewhere(pawl, "flood", BATCH)["rate"] for _ in range(3)]
        waits = _ask_elsewhere(pawl, "paced", RATE * PACED_SECONDS)
        stored = pawl.api.get("/api/deliveries?limit=1")["deliveries"][0]["id"]
    sent = 200 + 3 * BATCH + RATE * PACED_SECONDS
    if stored != sent:
        raise AssertionError(f"{sent} webhooks were accepted, {stored} are stored")
    return [_rate(rates), _wait(waits)]


def _rate(rates: list[float]) -> Row:
    taken = figure(rates, "/s")
    return Row(
        id="P10",
        what=f"webhooks accepted durably, {CONNECTIONS} connections, {BODY_BYTES / 1000:.0f} kB each",
        pawl=taken,
        target="1,000 /s",
        meets=taken.median >= 1000,
    )


def _wait(waits: dict[str, float]) -> Row:
    taken = figure([waits["p99"]], "ms")
    return Row(
        id="P10",
        what=f"a webhook's answer at {RATE} a second, 99th percentile",
        pawl=taken,
        floor=("median", figure([waits["p50"]], "ms")),
        target="50 ms",
        meets=taken.median < 50,
    )


def _ask_elsewhere(pawl: Installation, how: str, count: int) -> dict[str, float]:
    """Send from a process of its own, so that its work is not the server's."""
    here = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "benchmarks.webhooks", how, str(pawl.api.port), str(count)]
    done = subprocess.run(command, cwd=here, check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _requests(port: int, count: int) -> list[bytes]:
    """Return signed requests, each a delivery of its own."""
    made = []
    stamp = time.time_ns()
    for number in range(count):
        body = json.dumps(
            {
                "ref": "refs/heads/main",
                "before": "0" * 40,
                "after": hashlib.sha1(f"{stamp}-{number}".encode(), usedforsecurity=False).hexdigest(),
                "repository": {"full_name": NAME, "default_branch": "main"},
                "sender": {"login": "ann"},
                "head_commit": {"message": "x" * (BODY_BYTES - 300)},
            }
        ).encode()
        signature = hmac.digest(SECRET.encode(), body, "sha256").hex()
        head = (
            f"POST /webhooks/github/{NAME} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nX-GitHub-Event: push\r\n"
            f"X-GitHub-Delivery: {stamp}-{number}\r\nX-Hub-Signature-256: sha256={signature}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


async def _send(port: int, requests: asyncio.Queue[tuple[float, bytes]], waits: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not requests.empty():
        at, request = requests.get_nowait()
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        began = max(at, 0.0) or time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 202"):
            raise AssertionError(head)
        length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        waits.append((time.perf_counter() - began) * 1000)
    writer.close()


async def _all(port: int, count: int, rate: float) -> dict[str, float]:
    made = _requests(port, count)
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    began = time.perf_counter() + 0.2
    for number, request in enumerate(made):
        queue.put_nowait((began + number / rate if rate else 0.0, request))
    waits: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(*(_send(port, queue, waits) for _ in range(CONNECTIONS)))
    percentiles = statistics.quantiles(waits, n=100)
    return {
        "rate": count / (time.perf_counter() - began),
        "p50": statistics.median(waits),
        "p99": percentiles[98],
    }


if __name__ == "__main__":
    how, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(asyncio.run(_all(port, count, RATE if how == "paced" else 0.0))))
