"""`needs`: known jobs, no cycle, somewhere to begin (GitHub docs, `jobs.<job_id>.needs`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pawl.core.diagnostics import Diagnostic, Span
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.workflow.nodes import Mapping
from pawl.core.workflow.rules.subject import Subject, error
from pawl.core.workflow.syntax import Job, Text

_SHOWN = 12
"""Jobs of a chain that a message names."""

_DESCRIBED = 20
"""Faults for which a chain or a likely name is looked for; each search costs as much as the whole graph."""

_CANDIDATES = 200
"""Jobs among which a misspelt need is looked for."""


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield `unknown-need`, and `needs-cycle` or, where no job at all could begin, `no-first-job`."""
    jobs = {str(job.key): job for job in subject.jobs}
    unknown, cycles = list(_unknown(jobs)), list(_cycles(jobs))
    node = subject.root.get("jobs")
    if not isinstance(node, Mapping) or unknown or (jobs and any(not job.needs for job in jobs.values())):
        yield from (*unknown, *cycles)
    elif cycles or not node.entries:
        yield _no_first_job(node, cycles)


def _no_first_job(node: Mapping, cycles: list[Diagnostic]) -> Diagnostic:
    """Return one finding at the first job, as GitHub does (languageservices, converter/jobs.ts)."""
    span = Span(node.span.start, node.span.start)
    if not cycles:
        return error("no-first-job", "there are no jobs, expected at least one job without `needs`", span)
    return replace(
        cycles[0],
        code="no-first-job",
        message=f"no job can begin, expected at least one without `needs`: {cycles[0].message}",
        span=span,
        related=tuple((found.span, "this need is part of a cycle") for found in cycles[:_DESCRIBED]),
    )


def _unknown(jobs: dict[str, Job]) -> Iterator[Diagnostic]:
    known = list(jobs)[:_CANDIDATES]
    found = 0
    for job in jobs.values():
        for need in job.needs:
            if need.text not in jobs:
                found += 1
                hint = did_you_mean(need.text, known) if found <= _DESCRIBED else None
                message = f"the job `{job.key}` needs `{need.text[:100]}`, which does not exist"
                yield error("unknown-need", message, need.span, hint)


def _cycles(jobs: dict[str, Job]) -> Iterator[Diagnostic]:
    """Yield one finding for each need that is part of a cycle; the first ones name the chain."""
    components = _components(jobs)
    positions = {name: number for number, name in enumerate(jobs)}
    described = 0
    for name, job in jobs.items():
        for need in job.needs:
            inside = components.get(need.text)
            if inside is None or inside is not components[name] or (len(inside) == 1 and need.text != name):
                continue
            described += 1
            chain = _chain(jobs, name, need.text, positions) if described <= _DESCRIBED else [name, "…", name]
            yield _describe(job, need, chain)


def _describe(job: Job, need: Text, chain: list[str]) -> Diagnostic:
    shown = [f"`{name}`" for name in chain]
    if len(shown) > _SHOWN:
        shown = [*shown[: _SHOWN - 1], "…", shown[-1]]
    message = f"the job `{job.key}` needs itself by way of {' → '.join(shown)}"
    return error("needs-cycle", message, need.span, "remove one of these needs")


def _chain(jobs: dict[str, Job], name: str, need: str, positions: dict[str, int]) -> list[str]:
    """Return the shortest cycle through `name` and its need, begun at the job that comes first."""
    before = {need: ""}
    waiting = [need]
    for current in waiting:
        if current == name:
            break
        for following in jobs[current].needs:
            if following.text in jobs and following.text not in before:
                before[following.text] = current
                waiting.append(following.text)
    chain, current = [], name
    while current:
        chain.append(current)
        current = before[current]
    chain.reverse()
    first = min(range(len(chain)), key=lambda at: positions[chain[at]])
    cycle = chain[first:] + chain[:first]
    return [*cycle, cycle[0]]


def _components(jobs: dict[str, Job]) -> dict[str, frozenset[str]]:
    """Return for each job the strongly connected component it is in (Tarjan 1972, without recursion)."""
    search = _Search(jobs)
    for name in jobs:
        if name not in search.index:
            search.visit(name)
    return search.components


class _Search:
    def __init__(self, jobs: dict[str, Job]) -> None:
        self.jobs = jobs
        self.index: dict[str, int] = {}
        self.low: dict[str, int] = {}
        self.stack: list[str] = []
        self.components: dict[str, frozenset[str]] = {}

    def visit(self, root: str) -> None:
        work = [self._enter(root)]
        while work:
            name, needs = work[-1]
            following = next(
                (need for need in needs if need in self.jobs and need not in self.components), None
            )
            if following is None:
                work.pop()
                if work:
                    outer = work[-1][0]
                    self.low[outer] = min(self.low[outer], self.low[name])
                self._leave(name)
            elif following in self.index:
                self.low[name] = min(self.low[name], self.index[following])
            else:
                work.append(self._enter(following))

    def _enter(self, name: str) -> tuple[str, Iterator[str]]:
        self.index[name] = self.low[name] = len(self.index)
        self.stack.append(name)
        return name, iter([need.text for need in self.jobs[name].needs])

    def _leave(self, name: str) -> None:
        if self.low[name] != self.index[name]:
            return
        members = [self.stack.pop()]
        while members[-1] != name:
            members.append(self.stack.pop())
        component = frozenset(members)
        self.components.update(dict.fromkeys(component, component))
