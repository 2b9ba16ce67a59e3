"""P11 and P12: reading workflows, evaluating expressions. Floor: PyYAML's C events; peer: its C loader."""

from __future__ import annotations

import gc
import os
import statistics
import time
from pathlib import Path

import yaml

import pawl
from benchmarks.measure import Figure, Missing, Row, figure, milliseconds, seconds
from pawl.core.expressions import evaluate, parse_expression, to_value
from pawl.core.model.events import Event

CORPUS = Path(os.environ.get("PAWL_CORPUS") or Path(__file__).resolve().parents[2] / "shared" / "corpus")
EXPRESSION = "github.ref == 'refs/heads/main' && matrix.os != 'windows-latest'"
ROUND = 20_000


def measure() -> list[Row | Missing]:
    """Return the rows of this module."""
    return [_expressions(), _big_file(), _corpus()]


def _expressions() -> Row:
    expression, _ = parse_expression(EXPRESSION)
    assert expression is not None
    contexts = {
        "github": to_value({"ref": "refs/heads/main"}),
        "matrix": to_value({"os": "ubuntu-latest"}),
    }

    def work() -> None:
        for _ in range(ROUND):
            evaluate(expression, contexts, trace=False)

    samples = [ROUND / sample for sample in seconds(work)]
    speed = figure(samples, "/s")
    return Row(
        id="P12",
        what="expressions evaluated a second, parsed once",
        pawl=speed,
        target="200,000 /s",
        meets=speed.median >= 200_000,
    )


def _read(text: str) -> None:
    parsed = pawl.parse_workflow(text, "bench.yml")
    assert parsed.workflow is not None, parsed.diagnostics[:3]
    planned = pawl.plan(parsed.workflow, Event(name="push"))
    assert planned.plan is not None, planned.diagnostics[:3]


def _big_file() -> Row:
    text = _two_thousand_jobs()
    gc.set_threshold(50_000)  # as the command line does
    ours = seconds(lambda: _read(text), runs=3)
    floor = seconds(lambda: sum(1 for _ in yaml.parse(text, Loader=yaml.CSafeLoader)), runs=3)
    peer = seconds(lambda: yaml.load(text, Loader=yaml.CSafeLoader), runs=3)
    return Row(
        id="P11",
        what=f"parse, check and plan {len(text) / 1e6:.1f} MB with 2,000 jobs",
        pawl=milliseconds(ours),
        floor=("C events alone", milliseconds(floor)),
        peer=("C loader, no positions, no checks", milliseconds(peer)),
        target="1 s",
        meets=statistics.median(ours) <= 1.0,
    )


def _two_thousand_jobs() -> str:
    job = """\
  job{n}:
    name: Job number {n}
    runs-on: ubuntu-latest
    {needs}
    if: github.event_name == 'push' && !cancelled()
    env:
      NUMBER: "{n}"
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
      - name: Build part {n}
        run: |
          echo "building ${{{{ github.sha }}}}"
          make part PART={n} LEVEL=${{{{ env.NUMBER }}}} # padding up to about 1 MB
      - name: Test part {n}
        if: success() && env.NUMBER != ''
        run: make test PART={n}
"""
    jobs = (
        job.format(n=n, needs=f"needs: job{n - 1}" if n % 10 else "timeout-minutes: 10") for n in range(2000)
    )
    return "name: Big\non: push\njobs:\n" + "".join(jobs)


def _corpus() -> Row | Missing:
    what = "parse, check and plan a real workflow file"
    if not CORPUS.is_dir():
        return Missing(id="P11", what=what, why=f"no corpus in {CORPUS} (PAWL_CORPUS)")
    samples = []
    for path in sorted(CORPUS.rglob("*.y*ml")):
        text = path.read_text("utf-8", "replace")
        began = time.perf_counter()
        parsed = pawl.parse_workflow(text, path.name)
        if parsed.workflow is not None:
            pawl.plan(parsed.workflow, Event(name="push"))
            samples.append(time.perf_counter() - began)
    figures: Figure = milliseconds(samples)
    return Row(id="P11", what=what, pawl=figures, target="10 ms median", meets=figures.median <= 10)
