"""A job's condition: what the status functions mean for a job, and what is known before anything ran.

Source: GitHub documentation, "Evaluate expressions in workflows and actions", status check functions: at job
level they look at all transitive needs (language.md rules 25 and 26).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from pawl.core.diagnostics import has_errors
from pawl.core.expressions import (
    Evaluation,
    Expression,
    ExpressionError,
    Value,
    evaluate,
    is_truthy,
    parse_expression,
    to_text,
)
from pawl.core.expressions.nodes import Call, Context, walk
from pawl.core.model.ids import JobKey
from pawl.core.model.plan import Outlook, Verdict
from pawl.core.model.status import Conclusion
from pawl.core.planning.render import Functions


@lru_cache(maxsize=4096)
def parsed_condition(text: str) -> Expression:
    """Return a condition's effective expression, parsed.

    Raises:
        ExpressionError: it does not parse.
    """
    expression, diagnostics = parse_expression(text)
    if expression is None or has_errors(diagnostics):
        message = diagnostics[0].message if diagnostics else "the condition is empty"
        raise ExpressionError(message, kind="syntax")
    return expression


_FAILED = frozenset({Conclusion.FAILURE, Conclusion.TIMED_OUT})


def job_functions(ancestors: Mapping[JobKey, Conclusion], *, cancelled: bool) -> Functions:
    """Return the status functions of a job's condition, given how all its transitive needs ended.

    `success` and `failure` may name jobs (the official schema, `job-if`: any number of arguments); then they
    look at those only.
    """

    def success(*jobs: Value) -> bool:
        looked_at = _results(ancestors, jobs)
        return not cancelled and all(result is Conclusion.SUCCESS for result in looked_at)

    def failure(*jobs: Value) -> bool:
        return not cancelled and any(result in _FAILED for result in _results(ancestors, jobs))

    return {
        "success": success,
        "failure": failure,
        "cancelled": lambda: cancelled,
        "always": lambda: True,
    }


def _results(ancestors: Mapping[JobKey, Conclusion], jobs: tuple[Value, ...]) -> list[Conclusion]:
    if not jobs:
        return list(ancestors.values())
    by_name = {key.lower(): result for key, result in ancestors.items()}
    names = [to_text(job) for job in jobs]
    unknown = next((name for name in names if name.lower() not in by_name), None)
    if unknown is not None:
        raise ExpressionError(f"the job does not need a job `{unknown[:100]}`, directly or through others")
    return [by_name[name.lower()] for name in names]


def looks_at(expression: Expression, context: str) -> bool:
    """Return whether the expression uses a context, whatever its letter case."""
    return any(isinstance(node, Context) and node.name.lower() == context for node in walk(expression.root))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A condition's truth with the evaluation it comes from."""

    holds: bool
    evaluation: Evaluation

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the trace for people."""
        return tuple(self.evaluation.trace.lines())


def evaluate_job_condition(text: str, contexts: Mapping[str, Value], functions: Functions) -> Outcome:
    """Return whether a condition holds.

    Raises:
        ExpressionError: it cannot be evaluated.
    """
    evaluation = evaluate(parsed_condition(text), contexts, functions=functions)
    return Outcome(holds=is_truthy(evaluation.value), evaluation=evaluation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The jobs before one: its direct needs, all transitive ones, and which jobs of the plan are skipped."""

    needs: tuple[JobKey, ...]
    ancestors: tuple[JobKey, ...]
    skipped: AbstractSet[JobKey]

    def skipped_ancestors(self) -> list[JobKey]:
        """Return the transitive needs that are skipped."""
        if self.skipped.isdisjoint(self.ancestors):
            return []
        return [key for key in self.ancestors if key in self.skipped]


def foresee(text: str, written: str | None, contexts: Mapping[str, Value], before: Before) -> Verdict:
    """Return what can be said about a job before anything ran.

    Its condition is evaluated for every way in which its needs may end; where the answer is always the same,
    it is certain.

    Args:
        text: the effective condition.
        written: as in the file, or None.
        contexts: all that the condition sees; `needs` holds the skipped ones only.
        before: the jobs it needs.

    Raises:
        ExpressionError: the condition cannot be evaluated.
    """
    expression = parsed_condition(text)
    unknown = [key for key in before.needs if key not in before.skipped]
    if unknown and looks_at(expression, "needs"):
        have = "has" if len(unknown) == 1 else "have"
        reason = f"its condition looks at {_named(unknown)}, which {have} not run yet"
        return Verdict(outlook=Outlook.DECIDED_LATER, reason=reason)
    skipped = before.skipped_ancestors()
    ways = [
        job_functions(endings, cancelled=False)
        for endings in _endings(before.ancestors, skipped, each=_names_jobs(expression))
    ]
    holds = {
        is_truthy(evaluate(expression, contexts, functions=functions, trace=False).value)
        for functions in ways
    }
    if len(holds) == 2:
        return Verdict(outlook=Outlook.DECIDED_LATER, reason=_later(written, list(before.needs)))
    outlook = Outlook.RUNS if holds == {True} else Outlook.SKIPPED
    has_condition = written is not None and written.strip() != ""
    trace = evaluate_job_condition(text, contexts, ways[0]).lines if has_condition else ()
    return Verdict(outlook=outlook, reason=_certain(outlook, written, skipped), trace=trace)


def _names_jobs(expression: Expression) -> bool:
    return any(
        isinstance(node, Call) and node.arguments and node.name.lower() in {"success", "failure"}
        for node in walk(expression.root)
    )


def _endings(
    ancestors: Sequence[JobKey], skipped: Sequence[JobKey], *, each: bool
) -> list[dict[JobKey, Conclusion]]:
    """Return the ways in which the needs may end that status functions can tell apart.

    Unless they ask about `each` by its name, one that is skipped and one that is not stand for all.
    """
    fixed = dict.fromkeys(skipped if each else skipped[:1], Conclusion.SKIPPED)
    if len(skipped) == len(ancestors):
        return [fixed]
    gone = set(skipped)
    following = (key for key in ancestors if key not in gone)
    open_ones = list(following) if each else [next(following)]
    endings = (Conclusion.SUCCESS, Conclusion.FAILURE, Conclusion.SKIPPED)
    return [{**fixed, **dict.fromkeys(open_ones, ending)} for ending in endings]


def _later(written: str | None, needs: list[JobKey]) -> str:
    if written is None or not written.strip():
        return f"it runs when {_named(needs)} and all before succeed" if needs else "it is decided later"
    return f"its condition depends on how {_named(needs)} {'ends' if len(needs) == 1 else 'end'}"


def _certain(outlook: Outlook, written: str | None, skipped: list[JobKey]) -> str:
    if written is not None and written.strip():
        if outlook is Outlook.RUNS:
            return "its condition is true"
        return f"its condition is false{f', as {_skipped(skipped)}' if skipped else ''}"
    if outlook is Outlook.RUNS:
        return "it needs nothing and has no condition"
    return f"{_skipped(skipped)}, and it has no condition of its own"


def _skipped(keys: list[JobKey]) -> str:
    return f"{_named(keys)} {'is' if len(keys) == 1 else 'are'} skipped"


def _named(keys: list[JobKey]) -> str:
    shown = [f"`{key}`" for key in keys[:5]] + ([f"{len(keys) - 5} more"] if len(keys) > 5 else [])
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)
