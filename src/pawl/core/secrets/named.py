"""Which secrets a job names, and so may be given: only those (reliability R56).

What is found out only while it runs (`secrets[matrix.name]`, `toJSON(secrets)`) names none: the context then
holds what the job names elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pawl.core.expressions import parse_expression, parse_template
from pawl.core.expressions.nodes import Context, Index, Literal, Node, children
from pawl.core.model.plan import Json, PlannedJob, PlannedStep

TOKEN = "GITHUB_TOKEN"  # noqa: S105 - the name of one
SWITCHES = frozenset({"ACTIONS_STEP_DEBUG", "ACTIONS_RUNNER_DEBUG"})
"""Read by what runs a job and not by the job (GitHub docs, "Enabling debug logging")."""

_OPEN = "${{"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a job names.

    Attributes:
        secrets: in upper case, without the token.
        token: whether it may use `github.token`: it names it, or runs an action that may.
        dynamic: whether it looks at secrets whose names are not known before it runs.
    """

    secrets: frozenset[str] = frozenset()
    token: bool = False
    dynamic: bool = False


def named_by(job: PlannedJob, env: Json = None) -> Named:
    """Return what a job names.

    Args:
        job: as planned.
        env: the workflow's own, which every job has.
    """
    found = _Found()
    fields = (job.env, job.container, job.services, job.outputs, job.with_, job.runs_on)
    for text in _texts([env, *fields, job.default_working_directory, job.default_shell]):
        found.template(text)
    for step in _all_steps(job.steps):
        found.step(step)
    names = frozenset(found.names)
    return Named(secrets=names - {TOKEN}, token=found.token or TOKEN in names, dynamic=found.dynamic)


class _Found:
    """Gathers what expressions name."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.token = False
        self.dynamic = False

    def step(self, step: PlannedStep) -> None:
        fields = [step.name, step.run, step.with_, step.env, step.working_directory, step.shell, step.uses]
        for text in _texts([*fields, step.continue_on_error, step.timeout_minutes]):
            self.template(text)
        expression, _ = parse_expression(step.condition)
        if expression is not None:
            self.node(expression.root)
        # An action in the repository, or an image with one, may say `github.token` in files not read yet.
        self.token |= step.uses is not None and step.uses.startswith(("./", "$/", "docker://"))

    def template(self, text: str) -> None:
        if _OPEN in text:
            template, _ = parse_template(text)
            for expression in template.expressions:
                self.node(expression.root)

    def node(self, node: Node) -> None:
        match node:
            case Index(operand=Context(name=name), key=Literal(value=str() as key)):
                context = name.upper()
                if context == "SECRETS":
                    self.names.add(key.upper())
                self.token |= context == "GITHUB" and key.upper() == "TOKEN"
                return
            case Context(name=name):
                self.dynamic |= name.upper() == "SECRETS"
                self.token |= name.upper() in {"SECRETS", "GITHUB"}
            case _:
                pass
        for child in children(node):
            self.node(child)


def _all_steps(steps: Sequence[PlannedStep]) -> Iterator[PlannedStep]:
    for step in steps:
        yield step
        yield from _all_steps(step.steps)


def _texts(data: Sequence[Json]) -> Iterator[str]:
    waiting: list[Json] = list(data)
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
