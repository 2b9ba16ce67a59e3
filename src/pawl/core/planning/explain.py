"""A plan in sentences: why the workflow starts, why each job and step would run or not (L13)."""

from __future__ import annotations

from pawl.core.model.plan import Outlook, Plan, PlannedJob, PlannedStep, Verdict

_WORDS = {
    Outlook.RUNS: "would run",
    Outlook.SKIPPED: "would be skipped",
    Outlook.DECIDED_LATER: "is decided later",
}
_SHOWN = 10
"""Combinations that are named; the rest is counted."""


def explain_trigger(plan: Plan) -> str:
    """Return one sentence on whether and why the event starts the workflow."""
    starts = "starts" if plan.trigger.outlook is Outlook.RUNS else "does not start"
    return f"Event `{plan.event.name}` {starts} {plan.path}: {plan.trigger.reason}."


def explain_job(job: PlannedJob) -> list[str]:
    """Return sentences on a job: its outlook, the jobs of its matrix, what is missing, what differs."""
    sentences = [explain_verdict(f"Job `{job.key}`", job.verdict)]
    if job.matrix is not None and job.verdict.outlook is not Outlook.SKIPPED:
        sentences.append(_matrix(job))
    sentences += [f"This version cannot run it as written: {each}." for each in job.unsupported]
    sentences += [f"Note: {each}." for each in job.notes]
    return sentences


def explain_step(step: PlannedStep, verdict: Verdict) -> str:
    """Return one sentence on a step, called by its name, script or action."""
    return explain_verdict(f"Step {step_title(step)}", verdict)


def explain_verdict(subject: str, verdict: Verdict) -> str:
    """Return one sentence: the subject, its outlook, the reason."""
    return f"{subject} {_WORDS[verdict.outlook]}: {verdict.reason}."


def step_title(step: PlannedStep) -> str:
    """Return what to call a step: its name, else its action, else the first line of its script."""
    if isinstance(step.name, str) and step.name.strip():
        return f"`{step.name.strip()}`"
    if step.uses is not None:
        return f"`{step.uses}`"
    first = next((line.strip() for line in (step.run or "").splitlines() if line.strip()), "")
    return f"`{first[:60]}`" if first else f"`{step.kind}` at line {step.line}"


def _matrix(job: PlannedJob) -> str:
    if job.combinations is None:
        return "Its matrix is known only when its needs have ended."
    names = [f"`{each.name}`" for each in job.combinations[:_SHOWN]]
    more = len(job.combinations) - len(names)
    rest = f" and {more} more" if more else ""
    count = len(job.combinations)
    return f"It makes {count} {'job' if count == 1 else 'jobs'}: {', '.join(names)}{rest}."
