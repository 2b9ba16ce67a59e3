"""How fast `/api/runs` answers while eight jobs flood output, and whether the server's memory stays flat."""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import Missing, Row, figure
from benchmarks.memory import proportional_memory
from benchmarks.server import one_step, served
from tests.faults.installation import Installation

JOBS = 8
SECONDS = 12
PAUSE = 0.02
LINE = "2026-11-23 12:34:56 INFO  compiled module number one thousand and three, no warnings so far"


def measure() -> list[Row | Missing]:
    """Return the rows of this module."""
    with served(slots=JOBS) as pawl:
        pawl.start_server()
        pawl.wait_for_end(pawl.api.trigger(one_step("true")))
        quiet = _ask_from_elsewhere(pawl, 3)
        before = proportional_memory(pawl.server_pid) / 1e6
        flood = one_step(f"timeout {SECONDS + 5} yes '{LINE}' || true")
        runs = [pawl.api.trigger(flood) for _ in range(JOBS)]
        time.sleep(2)
        loaded = _ask_from_elsewhere(pawl, SECONDS)
        during = proportional_memory(pawl.server_pid) / 1e6
        for run in runs:
            pawl.api.post(f"/api/runs/{run}/cancel", {"at_once": True})
    return [_latency(loaded, quiet), _flat(during, before)]


def _latency(loaded: list[float], quiet: list[float]) -> Row:
    taken = figure([_percentile_95(loaded)], "ms")
    return Row(
        id="api",
        what=f"`/api/runs`, 95th percentile of {len(loaded)} while {JOBS} jobs flood output",
        pawl=taken,
        floor=("with no job", figure([_percentile_95(quiet)], "ms")),
        target="50 ms",
        meets=taken.median < 50,
    )


def _flat(during: float, before: float) -> Row:
    return Row(
        id="api",
        what=f"memory (PSS) of the server after {SECONDS} s of {JOBS} floods",
        pawl=figure([during], "MB"),
        floor=("before", figure([before], "MB")),
        target="at most 30 MB more",
        meets=during - before < 30,
    )


def _percentile_95(samples: list[float]) -> float:
    return statistics.quantiles(samples, n=20)[-1]


def _ask_from_elsewhere(pawl: Installation, seconds: float) -> list[float]:
    """Return milliseconds of requests made by a process of their own, one after the other."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.api_under_load",
        str(pawl.api.port),
        str(pawl.api.token_file),
    ]
    here = Path(__file__).resolve().parents[1]
    result = subprocess.run([*command, str(seconds)], cwd=here, check=True, capture_output=True, text=True)
    samples: list[float] = json.loads(result.stdout)
    return samples


def _client(port: int, token: str, seconds: float) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    samples: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        connection.request("GET", "/api/runs", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        samples.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200, answer.status
        time.sleep(PAUSE)
    return samples


if __name__ == "__main__":
    word = Path(sys.argv[2]).read_text("utf-8").strip()
    print(json.dumps(_client(int(sys.argv[1]), word, float(sys.argv[3]))))
