"""Jobs: from the tree to typed values; the original design's spellings (requirement L2) become GitHub's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pawl.core.diagnostics import Diagnostic, Span
from pawl.core.model.ids import JobKey
from pawl.core.model.plan import RetryRule
from pawl.core.workflow.build_steps import StepBuilder, build_condition, build_timeout
from pawl.core.workflow.duration import parse_duration
from pawl.core.workflow.fields import first_of, is_true, mapping_of, number_of, scalar_of, text_of, texts_of
from pawl.core.workflow.nodes import Mapping, Node, Scalar, Sequence
from pawl.core.workflow.read import Reader
from pawl.core.workflow.step_ids import StepIds
from pawl.core.workflow.syntax import Defaults, Job, ReusableCall, Strategy, Text

_ENVIRONMENT_KEYS = frozenset({"name", "url", "deployment"})


def build_jobs(root: Mapping, reader: Reader) -> dict[JobKey, Job]:
    """Return the jobs in the file's order; what is no mapping is left out (its fault is known by now)."""
    node = root.get("jobs")
    jobs: dict[JobKey, Job] = {}
    shared_matrix = root.get("matrix")
    for name, value in node.entries if isinstance(node, Mapping) else ():
        if isinstance(value, Mapping) and "${{" not in name.text:
            key = JobKey(name.text)
            steps = StepBuilder(StepIds(), reader.diagnostics, reader.expressions)
            jobs[key] = _job(key, name.span, value, shared_matrix, steps)
    return _with_stages(root, jobs, reader)


def build_defaults(node: Node | None) -> Defaults:
    """Return `defaults.run`."""
    run = mapping_of(node, "run")
    if run is None:
        return Defaults()
    return Defaults(shell=scalar_of(run, "shell"), working_directory=scalar_of(run, "working-directory"))


def build_priority(node: Node | None) -> int | None:
    """Return a whole number."""
    number = number_of(node)
    return int(number) if number is not None and abs(number) < 2**31 else None


def _job(key: JobKey, key_span: Span, job: Mapping, shared_matrix: Node | None, steps: StepBuilder) -> Job:
    diagnostics = steps.diagnostics
    node = job.by_name()
    uses = text_of(node.get("uses"))
    call = ReusableCall(uses=uses, with_=node.get("with"), secrets=node.get("secrets")) if uses else None
    environment = node.get("environment")
    variables = environment if _is_variables(environment) else None
    timeout = node.get("timeout-minutes") or build_timeout(node.get("timeout"), diagnostics)
    return Job(
        key=key,
        key_span=key_span,
        span=job.span,
        name=scalar_of(node, "name"),
        needs=texts_of(node.get("needs")),
        condition=build_condition(node.get("if"), steps.expressions),
        permissions=node.get("permissions"),
        concurrency=node.get("concurrency"),
        strategy=_strategy(node, shared_matrix, diagnostics),
        runs_on=node.get("runs-on"),
        environment=None if variables else environment,
        outputs=node.get("outputs"),
        env=_merged(variables, node.get("env")),
        defaults=build_defaults(node.get("defaults")),
        steps=steps.build(node.get("steps")),
        timeout_minutes=timeout,
        cancel_timeout_minutes=node.get("cancel-timeout-minutes"),
        continue_on_error=node.get("continue-on-error"),
        container=node.get("container"),
        services=node.get("services"),
        snapshot=node.get("snapshot"),
        call=call,
        artifacts=texts_of(node.get("artifacts")),
        env_file=text_of(node.get("env_file")),
        retry=_retry(node.get("retry"), diagnostics),
        priority=build_priority(node.get("priority")),
    )


def _is_variables(node: Node | None) -> bool:
    if not isinstance(node, Mapping) or not node.entries:
        return False
    return not any(name.text in _ENVIRONMENT_KEYS or "${{" in name.text for name, _ in node)


def _merged(first: Node | None, second: Node | None) -> Node | None:
    if not isinstance(first, Mapping) or not isinstance(second, Mapping):
        return second or first
    taken = {name.text for name, _ in second}
    kept = tuple(entry for entry in first.entries if entry[0].text not in taken)
    return Mapping(entries=(*kept, *second.entries), span=second.span)


def _strategy(
    node: dict[str, Node], shared_matrix: Node | None, diagnostics: list[Diagnostic]
) -> Strategy | None:
    strategy = node.get("strategy")
    inner = strategy if isinstance(strategy, Mapping) else None
    own, short = (inner.get("matrix") if inner else None), node.get("matrix")
    if own is not None and short is not None:
        message = "the job has both `strategy.matrix` and `matrix`, which mean the same"
        diagnostics.append(Diagnostic(code="duplicate-key", message=message, span=_start(short)))
    matrix = own or short or (shared_matrix if node.get("uses") is None else None)
    if inner is None and matrix is None:
        return None
    return Strategy(
        matrix=matrix,
        fail_fast=inner.get("fail-fast") if inner else None,
        max_parallel=inner.get("max-parallel") if inner else None,
    )


def _retry(node: Node | None, diagnostics: list[Diagnostic]) -> RetryRule | None:
    if isinstance(node, Scalar):
        attempts = _attempts(number_of(node), node.span, diagnostics)
        return RetryRule(max_attempts=attempts) if attempts else None
    if not isinstance(node, Mapping):
        return None
    codes = node.get("exit_codes") or node.get("exit-codes")
    exit_codes = codes.items if isinstance(codes, Sequence) else ()
    attempts = _attempts(number_of(first_of(node, "max_attempts", "max-attempts")), node.span, diagnostics)
    if attempts is None:
        return None
    return RetryRule(
        max_attempts=attempts,
        backoff_seconds=_backoff(node.get("backoff"), diagnostics),
        exit_codes=tuple(int(number) for code in exit_codes if (number := number_of(code)) is not None),
        on_timeout=is_true(first_of(node, "retry_on_timeout", "on-timeout")),
        signals=_signals(texts_of(node.get("signals")), diagnostics),
        log=tuple(each.text for each in texts_of(node.get("log")) if each.text.strip()),
    )


def _attempts(number: float | None, span: Span, diagnostics: list[Diagnostic]) -> int | None:
    if number is None or not 1 <= number <= _MOST_ATTEMPTS or number != int(number):
        message = f"found no number of attempts from 1 to {_MOST_ATTEMPTS} in `retry`"
        diagnostics.append(Diagnostic(code="retry", message=message, span=span))
        return None
    return int(number)


def _signals(names: Iterable[Text], diagnostics: list[Diagnostic]) -> tuple[int, ...]:
    numbers = []
    for name in names:
        number = _SIGNALS.get(name.text.strip().upper().removeprefix("SIG"))
        if number is None:
            message = f"found `{name.text[:60]}` in `signals`, expected {', '.join(_SIGNALS)}"
            diagnostics.append(Diagnostic(code="retry", message=message, span=name.span))
        else:
            numbers.append(number)
    return tuple(numbers)


_SIGNALS = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9,
    "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15,
}  # fmt: skip
"""Numbers of Linux, where jobs run (signal(7))."""

_MOST_ATTEMPTS = 20


def _backoff(node: Node | None, diagnostics: list[Diagnostic]) -> float:
    if not isinstance(node, Scalar):
        return 0.0
    seconds = number_of(node) if not isinstance(node.value, str) else parse_duration(node.value)
    if seconds is None or seconds < 0:
        message = f"found `{node.text[:60]}` as `backoff`, expected seconds or a time like `30s`"
        diagnostics.append(Diagnostic(code="retry", message=message, span=node.span))
        return 0.0
    return seconds


def _written_stages(root: Mapping) -> dict[str, Text]:
    jobs = root.get("jobs")
    nodes = {name.text: node for name, node in jobs} if isinstance(jobs, Mapping) else {}
    stages = {key: text_of(node.get("stage")) for key, node in nodes.items() if isinstance(node, Mapping)}
    return {key: stage for key, stage in stages.items() if stage is not None}


def _with_stages(root: Mapping, jobs: dict[JobKey, Job], reader: Reader) -> dict[JobKey, Job]:
    """Turn `stages` into needs: a job needs all jobs of the last stage before its own that has any."""
    order = [stage.text for stage in texts_of(root.get("stages"))]
    written = _written_stages(root)
    if not order and not written:
        return jobs
    members: dict[str, list[JobKey]] = {stage: [] for stage in order}
    stages: dict[JobKey, Text] = {}
    for key, job in jobs.items():
        stage = written.get(key) or Text(order[0], job.key_span) if order else written.get(key)
        if stage is None:
            continue
        if stage.text not in members:
            reader.diagnostics.append(_unknown_stage(stage, order))
            continue
        members[stage.text].append(key)
        stages[key] = stage
    before = _members_before(order, members)
    implied = sum(len(before[stage.text]) for stage in stages.values())
    if implied > reader.limits.implied_needs:
        reader.diagnostics.append(_too_many(root, implied, reader.limits.implied_needs))
        return jobs
    return {
        key: _needing(job, before[stages[key].text], stages[key].span) if key in stages else job
        for key, job in jobs.items()
    }


def _needing(job: Job, before: list[JobKey], span: Span) -> Job:
    written = {need.text for need in job.needs}
    return replace(job, needs=(*job.needs, *(Text(need, span) for need in before if need not in written)))


def _members_before(order: list[str], members: dict[str, list[JobKey]]) -> dict[str, list[JobKey]]:
    """Return for each stage the jobs of the last one before it that has any."""
    result: dict[str, list[JobKey]] = {}
    last: list[JobKey] = []
    for stage in order:
        result.setdefault(stage, last)
        last = members[stage] or last
    return result


def _too_many(root: Mapping, implied: int, most: int) -> Diagnostic:
    message = f"the stages stand for {implied} needs between jobs, more than the {most} allowed"
    return Diagnostic(code="stages-too-large", message=message, span=_start(root.get("stages") or root))


def _unknown_stage(stage: Text, order: list[str]) -> Diagnostic:
    listed = ", ".join(f"`{name[:60]}`" for name in order[:20]) or "no `stages` at the top of the file"
    message = f"the stage `{stage.text[:60]}` is not one of the workflow's stages"
    return Diagnostic(code="unknown-stage", message=message, span=stage.span, hint=f"there are: {listed}")


def _start(node: Node) -> Span:
    return Span(node.span.start, node.span.start)
