"""`python -m tests.simulation`: seeds, crash sweeps, mutants, marks. Exit code 1 when something was found.

--seed N [--trace]        one seed, twice; with all that happens in it
--seeds A-B               many, on `--processes P`
--minutes M               as many as that takes, from `--from N` on
--sweep N [--every K]     seed N without faults, the server killed at every K-th await and commit
--mutants [NAME ...]      each planted bug must be found within `--within` seeds
--marks                   with seeds: every mark of the engine must be hit
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count

from pawl.engine.control.marks import MARKS
from tests.simulation.mutants import MUTANTS, find
from tests.simulation.world import NEVER_HIT, Options, Outcome, run_seed

_BATCH = 20


def _prepare() -> None:
    """Have the collector of garbage look less often: worlds are large and short-lived."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _batch(seeds: list[int]) -> list[Outcome]:
    return [run_seed(seed) for seed in seeds]


def _sweep_point(seed: int, point: int) -> Outcome:
    return run_seed(seed, Options(crash_at=point))


def _batches(seeds: Iterable[int]) -> Iterator[list[int]]:
    batch: list[int] = []
    for seed in seeds:
        batch.append(seed)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


class _Report:
    """Counts outcomes and prints those that are bad."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.seeds = 0
        self.bad = 0
        self.seconds = 0.0
        self.commits = 0
        self.marks: Counter[str] = Counter()

    def add(self, outcome: Outcome, what: str = "") -> None:
        """Count an outcome."""
        self.seeds += 1
        self.seconds += outcome.seconds
        self.commits += outcome.commits
        self.marks.update(outcome.marks)
        if outcome.violations:
            self.bad += 1
            print(f"seed {outcome.seed}{what} (faults: {outcome.faults}):", flush=True)
            for violation in outcome.violations[:5]:
                print(f"    {violation}", flush=True)

    def summary(self) -> str:
        """Return it all in a line."""
        took = time.perf_counter() - self.began
        return (
            f"{self.seeds} seeds, {self.bad} with violations; {self.seeds / took:.1f} a second, "
            f"{self.seconds / 3600:.1f} virtual hours, {self.commits} commits, "
            f"{len(self.marks)} of {len(MARKS)} marks"
        )

    def missing(self) -> list[str]:
        """Return the marks that were never hit."""
        return sorted(MARKS - self.marks.keys() - NEVER_HIT.keys())


def _many(options: argparse.Namespace) -> int:
    report = _Report()
    if options.minutes:
        seeds: Iterable[int] = count(options.first)
        end = time.perf_counter() + 60 * options.minutes
    else:
        first, _, last = options.seeds.partition("-")
        seeds, end = range(int(first), int(last or first) + 1), float("inf")
    batches = _batches(seeds)
    with ProcessPoolExecutor(options.processes, initializer=_prepare) as pool:
        for outcomes in _in_turn(pool, batches, options.processes, end):
            for outcome in outcomes:
                report.add(outcome)
    print(report.summary())
    if options.marks:
        print("\n".join(f"never hit: {name}" for name in report.missing()) or "every mark was hit")
        print("\n".join(f"{number:8} {name}" for name, number in sorted(report.marks.items())))
    return 1 if report.bad or (options.marks and report.missing()) else 0


def _in_turn(
    pool: ProcessPoolExecutor, batches: Iterator[list[int]], processes: int, end: float
) -> Iterator[list[Outcome]]:
    """Yield results in order, never with more batches at work than the processes can take."""
    waiting = []
    for batch in batches:
        waiting.append(pool.submit(_batch, batch))
        if len(waiting) > 2 * processes:
            yield waiting.pop(0).result()
        if time.perf_counter() > end:
            break
    for future in waiting:
        yield future.result()


def _one(seed: int, *, trace: bool, crash_at: int | None) -> int:
    outcome = run_seed(seed, Options(crash_at=crash_at, trace=print if trace else None))
    again = run_seed(seed, Options(crash_at=crash_at))
    print(f"seed {seed}: {outcome.seconds:.0f} virtual s, {outcome.commits} commits, {outcome.points} points")
    print(f"faults: {outcome.faults}; trace {outcome.trace_hash[:16]}")
    for violation in outcome.violations:
        print(f"    {violation}")
    if again.trace_hash != outcome.trace_hash:
        print("NOT REPEATABLE: the second run went another way")
        return 1
    return 1 if outcome.violations else 0


def _sweep(seed: int, every: int, processes: int) -> int:
    points = run_seed(seed, Options(quiet=True)).points
    report = _Report()
    with ProcessPoolExecutor(processes, initializer=_prepare) as pool:
        at = list(range(1, points + 1, every))
        for point, outcome in zip(at, pool.map(_sweep_point, [seed] * len(at), at, chunksize=4), strict=True):
            report.add(outcome, f" killed at {point}")
    print(report.summary())
    return 1 if report.bad else 0


def _mutants(names: list[str], within: int, processes: int) -> int:
    wanted = names or sorted(MUTANTS)
    survived = 0
    with ProcessPoolExecutor(processes, initializer=_prepare) as pool:
        for name, found in zip(wanted, pool.map(find, wanted, [within] * len(wanted)), strict=True):
            survived += found is None
            seed, why = found or ("-", "NOT FOUND")
            print(f"{name:32} seed {seed:>5}  {why}", flush=True)
    print(f"{len(wanted) - survived} of {len(wanted)} mutants found within {within} seeds")
    return 1 if survived else 0


def main(arguments: list[str]) -> int:
    """Do what the command line says and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--seed", type=int)
    parser.add_argument("--crash-at", type=int)
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--seeds", default="0-199")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--sweep", type=int)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--mutants", nargs="*")
    parser.add_argument("--within", type=int, default=2000)
    parser.add_argument("--marks", action="store_true")
    options = parser.parse_args(arguments)
    if options.mutants is not None:
        return _mutants(options.mutants, options.within, options.processes)
    if options.sweep is not None:
        return _sweep(options.sweep, options.every, options.processes)
    if options.seed is not None:
        return _one(options.seed, trace=options.trace, crash_at=options.crash_at)
    return _many(options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
