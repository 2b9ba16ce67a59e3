"""`needs`: known jobs, no cycle, somewhere to begin (GitHub docs, `jobs.<job_id>.needs`)."""

from __future__ import annotations

from collections.abc import Iterator

from pawl.core.diagnostics import Diagnostic, Span
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.workflow.nodes import Mapping
from pawl.core.workflow.rules.subject import Subject, error
from pawl.core.workflow.syntax import Job, Text

_SHOWN = 12
"""Jobs of a chain that a message names."""


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield `unknown-need`, `needs-cycle` and, where neither explains it, `no-first-job`."""
    jobs = {str(job.key): job for job in subject.jobs}
    faults = [*_unknown(jobs), *_cycles(jobs)]
    yield from faults
    node = subject.root.get("jobs")
    if not faults and isinstance(node, Mapping) and not node.entries:
        message = "there are no jobs, expected at least one job without `needs`"
        yield error("no-first-job", message, Span(node.span.start, node.span.start))


def _unknown(jobs: dict[str, Job]) -> Iterator[Diagnostic]:
    for job in jobs.values():
        for need in job.needs:
            if need.text not in jobs:
                message = f"the job `{job.key}` needs `{need.text[:100]}`, which does not exist"
                yield error("unknown-need", message, need.span, did_you_mean(need.text, jobs))


def _cycles(jobs: dict[str, Job]) -> Iterator[Diagnostic]:
    """Yield one finding for each need that closes a cycle, naming the chain from its smallest position."""
    components = _components(jobs)
    for name, job in jobs.items():
        for need in job.needs:
            inside = components.get(need.text)
            if inside is not None and inside == components[name] and (len(inside) > 1 or need.text == name):
                yield _describe(job, need, _chain(jobs, name, need.text))


def _describe(job: Job, need: Text, chain: list[str]) -> Diagnostic:
    shown = [f"`{name}`" for name in chain]
    if len(shown) > _SHOWN:
        shown = [*shown[: _SHOWN - 1], "…", shown[-1]]
    message = f"the job `{job.key}` needs itself by way of {' → '.join(shown)}"
    return error("needs-cycle", message, need.span, "remove one of these needs")


def _chain(jobs: dict[str, Job], name: str, need: str) -> list[str]:
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
    order = list(jobs)
    first = min(range(len(chain)), key=lambda at: order.index(chain[at]))
    cycle = chain[first:] + chain[:first]
    return [*cycle, cycle[0]]


def _components(jobs: dict[str, Job]) -> dict[str, frozenset[str]]:
    """Return for each job the strongly connected component it is in (Tarjan, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    result: dict[str, frozenset[str]] = {}
    for root, job in jobs.items():
        if root in index:
            continue
        work = [(root, iter(job.needs))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while work:
            name, needs = work[-1]
            following = next(
                (need.text for need in needs if need.text in jobs and need.text not in result), None
            )
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    at = stack.index(name)
                    component = frozenset(stack[at:])
                    del stack[at:]
                    result.update(dict.fromkeys(component, component))
            elif following in index:
                low[name] = min(low[name], index[following])
            else:
                index[following] = low[following] = len(index)
                stack.append(following)
                work.append((following, iter(jobs[following].needs)))
    return result
