"""Resolving a job: when its needs have ended, does it run, and as which combinations.

Pure, and total: what cannot be evaluated comes back as `error`, never as an exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pawl.core.expressions import ExpressionError, Value
from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.needs import NeedResult
from pawl.core.model.plan import Combination, Json, Outlook, Plan, PlannedJob, Verdict
from pawl.core.model.status import Conclusion
from pawl.core.planning.conditions import evaluate_job_condition, job_functions
from pawl.core.planning.contexts import (
    DEFAULT_FACTS,
    RunFacts,
    combination_contexts,
    job_contexts,
    literal_environment,
    short_names,
)
from pawl.core.planning.limits import DEFAULT_LIMITS, PlanLimits
from pawl.core.planning.matrix import Expansion, display_name, expand_matrix, shorten_name
from pawl.core.planning.render import as_bool, as_number, as_text, is_tainted, render_json, templates_in
from pawl.core.planning.variables import substitute

Contexts = Mapping[str, Value]

LONGEST_ENVIRONMENT = 255
"""Characters of an environment's name (GitHub documentation, "Managing environments for deployment")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedJob:
    """One job to run: its id, its combination with the final name, `continue-on-error`, its environment."""

    id: JobId
    combination: Combination
    continue_on_error: bool = False
    environment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """`strategy` with its values."""

    fail_fast: bool = True
    max_parallel: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What became of a job whose needs have ended.

    Attributes:
        verdict: runs or skipped, with reason and trace.
        jobs: the jobs to run, in order; empty when skipped or when the matrix's excludes leave none.
        strategy: for the lifecycle.
        survives_cancel: whether the condition would still hold if the run were cancelled now.
        cancelled: skipped, but would have run if the run were not cancelled.
        error: why it cannot be resolved; the job fails.
        warnings: worth showing with the job.
    """

    verdict: Verdict
    jobs: tuple[ResolvedJob, ...] = ()
    strategy: Strategy = Strategy()
    survives_cancel: bool = False
    cancelled: bool = False
    error: str | None = None
    warnings: tuple[str, ...] = ()


def resolve_job(
    job: PlannedJob,
    plan: Plan,
    *,
    needs: Mapping[JobKey, NeedResult],
    ancestors: Mapping[JobKey, Conclusion],
    cancelled: bool = False,
    facts: RunFacts = DEFAULT_FACTS,
    limits: PlanLimits = DEFAULT_LIMITS,
) -> Resolution:
    """Return whether a job runs and as what, once all its needs have ended.

    Args:
        job: as planned.
        plan: it belongs to.
        needs: results of its direct needs.
        ancestors: results of all its transitive needs; the status functions look at these.
        cancelled: whether the run was asked to stop.
        facts: about the run, for `github`.
        limits: of the matrix and of what templates make.
    """
    contexts = job_contexts(plan, job.key, needs, facts)
    try:
        return _resolve(job, contexts, short_names(plan.event), ancestors, cancelled, plan.env, limits)
    except ExpressionError as error:
        verdict = Verdict(outlook=Outlook.SKIPPED, reason=f"it cannot be evaluated: {error.message}")
        return Resolution(verdict=verdict, error=error.message)


def _resolve(
    job: PlannedJob,
    contexts: Contexts,
    short: Contexts,
    endings: Mapping[JobKey, Conclusion],
    cancelled: bool,
    env: Json,
    limits: PlanLimits,
) -> Resolution:
    seen = {**contexts, **short}
    outcome = evaluate_job_condition(job.condition, seen, job_functions(endings, cancelled=cancelled))
    if not outcome.holds:
        would_run = cancelled and _holds(job, seen, endings, cancelled=False)
        reason = _skip_reason(job, endings, cancelled=would_run)
        verdict = Verdict(outlook=Outlook.SKIPPED, reason=reason, trace=outcome.lines)
        return Resolution(verdict=verdict, cancelled=would_run)
    reason = "its condition is true" if job.condition_text else "all it needs succeeded"
    if not job.condition_text and not endings:
        reason = "it needs nothing and has no condition"
    verdict = Verdict(outlook=Outlook.RUNS, reason=reason, trace=outcome.lines if job.condition_text else ())
    strategy = resolve_strategy(job, contexts)
    expansion = resolve_matrix(job, contexts, strategy, env=env, limits=limits)
    if expansion.errors:
        raise ExpressionError("; ".join(expansion.errors))
    jobs = tuple(
        ResolvedJob(
            id=job_id(job.key, combination, has_matrix=job.matrix is not None),
            combination=combination,
            continue_on_error=_continues(job, contexts, combination, strategy),
            environment=_environment(job, contexts, combination, strategy),
        )
        for combination in expansion.combinations
    )
    return Resolution(
        verdict=verdict,
        jobs=jobs,
        strategy=strategy,
        survives_cancel=_holds(job, seen, endings, cancelled=True),
        warnings=expansion.warnings,
    )


def _holds(
    job: PlannedJob, contexts: Contexts, endings: Mapping[JobKey, Conclusion], *, cancelled: bool
) -> bool:
    try:
        return evaluate_job_condition(
            job.condition, contexts, job_functions(endings, cancelled=cancelled)
        ).holds
    except ExpressionError:
        return False


def _skip_reason(job: PlannedJob, endings: Mapping[JobKey, Conclusion], *, cancelled: bool) -> str:
    if cancelled:
        return "the run was cancelled"
    if job.condition_text:
        return "its condition is false"
    words = sorted({str(ending.as_result) for ending in endings.values() if ending is not Conclusion.SUCCESS})
    return f"what it needs did not succeed ({', '.join(words)})"


def job_id(key: JobKey, combination: Combination, *, has_matrix: bool) -> JobId:
    """Return the id of one job of a run: the key, or `key#3` for the fourth combination of a matrix."""
    return JobId(f"{key}#{combination.index}" if has_matrix else key)


def resolve_strategy(job: PlannedJob, contexts: Contexts) -> Strategy:
    """Return `fail-fast` and `max-parallel` as values.

    Raises:
        ExpressionError: one cannot be evaluated, or is of the wrong type.
    """
    fail_fast = as_bool(render_json(job.fail_fast, contexts), "`fail-fast`", default=True)
    number = as_number(render_json(job.max_parallel, contexts), "`max-parallel`")
    if number is not None and (number < 0 or number != int(number)):
        raise ExpressionError(f"`max-parallel` must be a whole number from 0, found `{number:g}`")
    # 0 is no limit (WorkflowTemplateConverter.cs, ConvertToStrategy).
    return Strategy(fail_fast=fail_fast, max_parallel=int(number) if number else None)


def resolve_matrix(
    job: PlannedJob,
    contexts: Contexts,
    strategy: Strategy,
    *,
    env: Json = None,
    limits: PlanLimits = DEFAULT_LIMITS,
) -> Expansion:
    """Return the job's combinations with their final, distinct names.

    Args:
        job: as planned.
        contexts: what its keys see before its matrix is expanded.
        strategy: with its values.
        env: the workflow's own; a name without expressions may use its and the job's variables (L5).
        limits: how many combinations are allowed.

    Raises:
        ExpressionError: the matrix or a name cannot be evaluated.
    """
    name = _own_name(job, env) or job.key
    if job.matrix is None:
        expansion = Expansion(combinations=(Combination(index=0, total=1, name=name),))
    else:
        matrix = render_json(job.matrix, contexts, limits=limits)
        expansion = expand_matrix(matrix, name, limits)
        if is_tainted(matrix):
            marked = tuple(
                replace(each, untrusted=is_tainted(each.values)) for each in expansion.combinations
            )
            expansion = replace(expansion, combinations=marked)
    if templates_in_name(job):
        named = tuple(
            replace(each, name=_rendered_name(job, contexts, each, strategy))
            for each in expansion.combinations
        )
        expansion = replace(expansion, combinations=named)
    distinct = distinct_names(expansion.combinations)
    return expansion if distinct is expansion.combinations else replace(expansion, combinations=distinct)


def templates_in_name(job: PlannedJob) -> bool:
    """Return whether the job's name has an expression; only a name without gets the matrix's values added."""
    return any(True for _ in templates_in(job.name))


def _own_name(job: PlannedJob, env: Json) -> str:
    if job.name is None or templates_in_name(job):
        return ""
    name = substitute(as_text(job.name, "`name`"), literal_environment(env, job.env))
    return shorten_name(" ".join(name.split()))


def _rendered_name(job: PlannedJob, contexts: Contexts, combination: Combination, strategy: Strategy) -> str:
    more = combination_contexts(combination, fail_fast=strategy.fail_fast, max_parallel=strategy.max_parallel)
    name = as_text(render_json(job.name, {**contexts, **more}), "`name`").strip()
    return shorten_name(" ".join(name.split())) if name else combination.name


def distinct_names(combinations: tuple[Combination, ...]) -> tuple[Combination, ...]:
    """Return the combinations with distinct names (L8): by values where that helps, else by counting."""
    names = [each.name for each in combinations]
    if len(set(names)) == len(names):
        return combinations
    longer = [display_name(each.name, each.values) for each in combinations]
    if len(set(longer)) == len(longer):
        names = [long if names.count(name) > 1 else name for name, long in zip(names, longer, strict=True)]
    taken: set[str] = set()
    result = []
    for each, own in zip(combinations, names, strict=True):
        name, number = own, 1
        while name in taken:
            number += 1
            name = f"{own} #{number}"
        taken.add(name)
        result.append(replace(each, name=name))
    return tuple(result)


def _continues(job: PlannedJob, contexts: Contexts, combination: Combination, strategy: Strategy) -> bool:
    written: Json = job.continue_on_error
    if isinstance(written, str):
        more = combination_contexts(
            combination, fail_fast=strategy.fail_fast, max_parallel=strategy.max_parallel
        )
        written = render_json(written, {**contexts, **more})
    return as_bool(written, "`continue-on-error`")


def _environment(job: PlannedJob, contexts: Contexts, combination: Combination, strategy: Strategy) -> str:
    """Return the name of the environment that a job deploys to, "" for none."""
    written: Json = job.environment
    if isinstance(written, dict):
        written = written.get("name")
    if written is None:
        return ""
    more = combination_contexts(combination, fail_fast=strategy.fail_fast, max_parallel=strategy.max_parallel)
    name = as_text(render_json(written, {**contexts, **more}), "`environment`").strip()
    if len(name) > LONGEST_ENVIRONMENT or not name.isprintable():
        raise ExpressionError(
            f"the name of an environment is at most {LONGEST_ENVIRONMENT} characters that can be shown"
        )
    return name
