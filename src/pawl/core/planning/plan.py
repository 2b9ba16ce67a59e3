"""Planning: what an event would make a workflow do, and why. Nothing is run and nothing is read here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from types import MappingProxyType

from pawl.core.diagnostics import Diagnostic, Severity, Span, has_errors
from pawl.core.expressions import ExpressionError, ObjectValue, Value
from pawl.core.model.errors import UsageError
from pawl.core.model.events import Event
from pawl.core.model.ids import JobKey
from pawl.core.model.needs import NeedResult
from pawl.core.model.plan import Json, Outlook, Plan, PlannedJob, Verdict
from pawl.core.model.status import Conclusion
from pawl.core.planning.conditions import Before, foresee
from pawl.core.planning.contexts import (
    DEFAULT_FACTS,
    RunFacts,
    needs_context,
    short_names,
    workflow_contexts,
)
from pawl.core.planning.convert import plan_job
from pawl.core.planning.graph import all_ancestors, find_cycle, topological_order
from pawl.core.planning.inputs import type_inputs
from pawl.core.planning.limits import DEFAULT_LIMITS, PlanLimits
from pawl.core.planning.matrix import Expansion, shorten_name
from pawl.core.planning.render import as_text, contexts_used, render_json, templates_in
from pawl.core.planning.resolve import resolve_matrix, resolve_strategy
from pawl.core.planning.unsupported import differences, unsupported_features
from pawl.core.triggers import match_trigger
from pawl.core.workflow.nodes import to_json
from pawl.core.workflow.syntax import Job, Workflow

_NOTHING: Mapping[str, str] = MappingProxyType({})
_KNOWN_NOW = frozenset({"github", "inputs", "vars", "strategy", "matrix"})
_WITH_INPUTS = frozenset({"workflow_dispatch", "workflow_call"})
_SKIPPED = NeedResult(result=Conclusion.SKIPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, and what is wrong or worth saying. With errors there is no plan."""

    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...] = ()


def plan_workflow(
    workflow: Workflow,
    event: Event,
    *,
    inputs: Mapping[str, str] = _NOTHING,
    variables: Mapping[str, str] = _NOTHING,
    facts: RunFacts = DEFAULT_FACTS,
    limits: PlanLimits = DEFAULT_LIMITS,
) -> Planned:
    """Return what `event` would make `workflow` do, whether or not it starts it (`plan.trigger` says).

    Args:
        workflow: as parsed, without errors.
        event: what happened; its own `inputs` count too.
        inputs: texts by name for `workflow_dispatch`; they outweigh those of the event.
        variables: the `vars` context.
        facts: about the run, for `github`.
        limits: of matrices and rendered texts.

    Raises:
        UsageError: the event's payload is nested deeper than 100 levels.
    """
    match = match_trigger(workflow.triggers, event)
    # What an event that starts nothing cannot fill in is no fault of the file.
    severity = Severity.ERROR if match.started else Severity.WARNING
    planner = _Planner(workflow, event, facts, limits, severity)
    typed = planner.type_inputs({**event.inputs, **inputs})
    plan = Plan(
        path=workflow.path,
        name=planner.name,
        run_name="",
        event=event,
        trigger=Verdict(
            outlook=Outlook.RUNS if match.started else Outlook.SKIPPED,
            reason=match.reason,
            trace=tuple(f"{each.filter}: {each.reason}" for each in match.verdicts),
        ),
        inputs=typed,
        variables=dict(variables),
        env=to_json(workflow.env),
        concurrency=to_json(workflow.concurrency),
        permissions=to_json(workflow.permissions),
    )
    try:
        plan = replace(plan, inputs=planner.render_defaults(plan))
        contexts = workflow_contexts(plan, facts)
    except ExpressionError as error:
        raise UsageError(f"the event's payload cannot be used: {error.message}") from error
    plan = replace(plan, run_name=planner.run_name(contexts), jobs=planner.jobs(contexts))
    found = tuple(planner.diagnostics)
    return Planned(plan=None if has_errors(found) else plan, diagnostics=found)


class _Planner:
    """Plans one workflow for one event and gathers what is wrong."""

    def __init__(
        self,
        workflow: Workflow,
        event: Event,
        facts: RunFacts,
        limits: PlanLimits,
        expression_severity: Severity,
    ) -> None:
        self._workflow = workflow
        self._event = event
        self._facts = facts
        self._limits = limits
        self._expression_severity = expression_severity
        self.name = (workflow.name.text if workflow.name else "").strip() or workflow.path
        self.diagnostics: list[Diagnostic] = []

    def _report(self, code: str, message: str, span: Span, *, hint: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(code=code, message=message, span=span, hint=hint))

    def _report_expression(self, message: str, span: Span) -> None:
        """Report an expression that cannot be evaluated for this event."""
        found = Diagnostic(
            code="plan-expression", message=message, span=span, severity=self._expression_severity
        )
        self.diagnostics.append(found)

    def type_inputs(self, given: Mapping[str, str]) -> dict[str, Json]:
        """Return the `inputs` context of a workflow started by hand or called by another."""
        name = self._event.name
        trigger = next((each for each in self._workflow.triggers if each.event.text == name), None)
        if name not in _WITH_INPUTS or trigger is None:
            if given:
                message = f"inputs were given, but event `{name}` has none"
                hint = "only `workflow_dispatch` takes inputs"
                self._report("dispatch-input", message, self._workflow.span, hint=hint)
            return {}
        typed = type_inputs(trigger.inputs, given)
        for problem, how in typed.problems:
            self._report("dispatch-input", problem, trigger.event.span, hint=how)
        return typed.values

    def render_defaults(self, plan: Plan) -> dict[str, Json]:
        """Return the inputs with the expressions in defaults of `workflow_call` evaluated."""
        if not any(templates_in([*plan.inputs.values()])):
            return plan.inputs
        contexts = workflow_contexts(replace(plan, inputs={}), self._facts)
        rendered = {}
        for name, value in plan.inputs.items():
            try:
                rendered[name] = render_json(value, contexts)
            except ExpressionError as error:
                message = f"the default of input `{name}`: {error.message}"
                self._report_expression(message, self._workflow.span)
        return rendered

    def run_name(self, contexts: Mapping[str, Value]) -> str:
        """Return the run's display name: as written, else what GitHub shows for the event."""
        written = self._workflow.run_name
        if written is not None and written.value is not None:
            try:
                name = as_text(render_json(written.text, contexts), "`run-name`")
            except ExpressionError as error:
                self._report_expression(f"`run-name`: {error.message}", written.span)
                return self.name
            if name.strip():
                return " ".join(name.split())
        return shorten_name(_title(self._event) or self.name)

    def jobs(self, contexts: Mapping[str, Value]) -> tuple[PlannedJob, ...]:
        """Return all jobs in topological order."""
        jobs = self._workflow.jobs
        needs = {
            key: tuple(JobKey(need.text) for need in job.needs if JobKey(need.text) in jobs)
            for key, job in jobs.items()
        }
        self._check_needs(needs)
        order = topological_order(needs)
        ancestors = all_ancestors(order, needs, self._limits.ancestors)
        if ancestors is None:
            most = self._limits.ancestors
            message = f"the jobs have more than {most:,} needs in all, counting those through other jobs"
            self._report("too-many-needs", message, jobs[order[0]].key_span)
            return ()
        planned: dict[JobKey, PlannedJob] = {}
        skipped: set[JobKey] = set()
        for key in order:
            planned[key] = self._job(jobs[key], skipped, ancestors[key], contexts, is_first=not planned)
            if planned[key].verdict.outlook is Outlook.SKIPPED:
                skipped.add(key)
        return tuple(planned.values())

    def _check_needs(self, needs: Mapping[JobKey, tuple[JobKey, ...]]) -> None:
        jobs = self._workflow.jobs
        for key, job in jobs.items():
            for need in job.needs:
                if JobKey(need.text) not in jobs:
                    self._report(
                        "unknown-need", f"job `{key}` needs `{need.text}`, which does not exist", need.span
                    )
        cycle = find_cycle(needs)
        if cycle:
            chain = " -> ".join(f"`{key}`" for key in cycle)
            self._report("needs-cycle", f"jobs need each other in a circle: {chain}", jobs[cycle[0]].key_span)

    def _job(
        self,
        job: Job,
        skipped: AbstractSet[JobKey],
        ancestors: tuple[JobKey, ...],
        contexts: Mapping[str, Value],
        *,
        is_first: bool,
    ) -> PlannedJob:
        needs = [JobKey(need.text) for need in job.needs if JobKey(need.text) in self._workflow.jobs]
        planned = plan_job(self._workflow, job, ancestors=ancestors, verdict=_UNDECIDED)
        try:
            seen = {**contexts, **short_names(self._event), "needs": _skipped_needs(needs, skipped)}
            before = Before(needs=tuple(needs), ancestors=ancestors, skipped=skipped)
            verdict = foresee(planned.condition, planned.condition_text, seen, before)
        except ExpressionError as error:
            span = job.condition.source.span if job.condition else job.key_span
            self._report_expression(f"the condition of job `{job.key}`: {error.message}", span)
            verdict = _UNDECIDED
        expansion = self._expand(job, planned, verdict, contexts)
        shared = to_json(self._workflow.concurrency) if is_first else None
        combinations = expansion.combinations if expansion else None
        if combinations == () and verdict.outlook is Outlook.RUNS:
            reason = "the matrix's excludes leave no combination"
            verdict = Verdict(outlook=Outlook.SKIPPED, reason=reason)
        return replace(
            planned,
            verdict=verdict,
            combinations=combinations,
            unsupported=unsupported_features(planned),
            notes=(*(expansion.warnings if expansion else ()), *differences(job, planned, shared)),
        )

    def _expand(
        self, job: Job, planned: PlannedJob, verdict: Verdict, contexts: Mapping[str, Value]
    ) -> Expansion | None:
        """Return the job's combinations, where all that they depend on is known and right."""
        data: Json = [planned.matrix, planned.name, planned.fail_fast, planned.max_parallel]
        fault = ""
        try:
            if not contexts_used(data) <= _KNOWN_NOW:
                return None
            strategy = resolve_strategy(planned, contexts)
            env = to_json(self._workflow.env)
            expansion = resolve_matrix(planned, contexts, strategy, env=env, limits=self._limits)
        except ExpressionError as error:
            fault = error.message
        else:
            fault = "; ".join(expansion.errors)
        if not fault:
            return expansion
        if verdict.outlook is not Outlook.SKIPPED:
            matrix = job.strategy.matrix if job.strategy else None
            span = matrix.span if matrix is not None else job.key_span
            self._report_expression(f"job `{job.key}`: {fault}", span)
        return None


_UNDECIDED = Verdict(outlook=Outlook.DECIDED_LATER, reason="it is decided later")


def _skipped_needs(needs: Iterable[JobKey], skipped: AbstractSet[JobKey]) -> ObjectValue:
    return needs_context({key: _SKIPPED for key in needs if key in skipped})


def _title(event: Event) -> str:
    """Return GitHub's name of a run without `run-name`: the commit's first line, the pull request's title."""
    for about, field in (("head_commit", "message"), ("pull_request", "title"), ("issue", "title")):
        found = event.payload.get(about)
        if isinstance(found, Mapping) and isinstance(found.get(field), str):
            return str(found[field]).partition("\n")[0].strip()
    return ""
