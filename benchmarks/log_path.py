"""P6: from a container's output to a stored, masked, indexed log; and the memory a flood of output takes."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.measure import Missing, Row, figure
from benchmarks.project import IMAGE, has_engine, peak_memory, project

MEGABYTES = 200
LINE = "2026-11-23 12:34:56 INFO  compiled module number one thousand and three, no warnings so far"
FLOOD = f"yes '{LINE}' | head -c {{size}}"
SETTINGS = "[run]\nlog_limit_mb = 1024\n"


def measure() -> list[Row | Missing]:
    """Return the rows of this module."""
    if not has_engine():
        return [Missing(id="P6", what="log path", why=f"no engine with {IMAGE} at DOCKER_HOST")]
    return [_throughput(), _memory()]


def _throughput() -> Row:
    size = MEGABYTES * 1_000_000
    script = FLOOD.format(size=size)
    with project(script, settings=SETTINGS) as folder:
        (folder / "secrets").write_text("TOKEN=not-in-the-output\n", "utf-8")
        speeds = [MEGABYTES / _step_seconds(folder, "--secret-file", "secrets") for _ in range(3)]
    with project(script + " > /dev/null") as folder:
        floors = [MEGABYTES / _step_seconds(folder) for _ in range(3)]
    speed = figure(speeds, "MB/s")
    return Row(
        id="P6",
        what=f"{MEGABYTES} MB of lines from a container to a masked, indexed log (all of it kept)",
        pawl=speed,
        floor=("the same output thrown away in the container", figure(floors, "MB/s")),
        target="60 MB/s, then 100",
        meets=speed.median >= 60,
    )


def _step_seconds(folder: Path, *options: str) -> float:
    """Return how long the step took by the run's own record; what is printed meanwhile is thrown away."""
    peak_memory(folder, "--executor", "docker", *options)
    latest = max(
        (folder / ".pawl/runs").iterdir(), key=lambda run: int(run.name) if run.name.isdigit() else 0
    )
    for line in (latest / "events.jsonl").read_text("utf-8").splitlines():
        event = json.loads(line) if '"step_finished"' in line else {}
        if event.get("name") == "work":
            return float(event["duration"])
    raise RuntimeError("the step never finished")


def _memory() -> Row:
    with project(FLOOD.format(size=1_000_000_000)) as folder:
        samples = [peak_memory(folder, "--executor", "docker") / 1e6 for _ in range(2)]
    with project("true") as folder:
        quiet = [peak_memory(folder, "--executor", "docker") / 1e6 for _ in range(2)]
    peak = figure(samples, "MB")
    return Row(
        id="P6",
        what="peak memory of `pawl run` under a 1 GB flood",
        pawl=peak,
        floor=("a run that prints nothing", figure(quiet, "MB")),
        target="150 MB",
        meets=peak.median < 150,
    )
