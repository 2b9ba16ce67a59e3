"""The original design's spellings (requirements L2 and L5): what each one means in GitHub's words.

The grammar marks such keys as Pawl's own; this says for each what the documentation says.
"""

from __future__ import annotations

from dataclasses import dataclass

from pawl.core.workflow.grammar.shapes import Grammar, MappingShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """One key of the original design.

    Attributes:
        definitions: the definitions of the grammar that have it.
        where: where it may stand, for people.
        example: one line.
        meaning: GitHub's spelling of the same, or what Pawl makes of it where GitHub has no word for it.
    """

    key: str
    definitions: tuple[str, ...]
    where: str
    example: str
    meaning: str


SPELLINGS: tuple[Spelling, ...] = (
    Spelling(
        key="command",
        definitions=("step-run",),
        where="step",
        example="command: make test",
        meaning="`run: make test`",
    ),
    Spelling(
        key="environment",
        definitions=("workflow", "step-run", "step-uses"),
        where="top, step; job where it is a mapping without `name`, `url` and `deployment`",
        example="environment: {A: b}",
        meaning="`env: {A: b}`; beside `env` in a job, `env` wins key by key",
    ),
    Spelling(
        key="matrix",
        definitions=("workflow", "job-ordinary", "job-call"),
        where="job, top",
        example="matrix: {os: [linux, mac]}",
        meaning="`strategy: {matrix: ...}`; at the top for every job with steps and no matrix of its own",
    ),
    Spelling(
        key="stages",
        definitions=("workflow",),
        where="top",
        example="stages: [build, test]",
        meaning="each job needs, besides its own `needs`, all jobs of the last stage before it that has any",
    ),
    Spelling(
        key="stage",
        definitions=("job-ordinary", "job-call"),
        where="job",
        example="stage: test",
        meaning="the job's place in `stages`; the first stage when left out",
    ),
    Spelling(
        key="artifacts",
        definitions=("job-ordinary",),
        where="job",
        example="artifacts: [dist/*.zip]",
        meaning="files to keep after the job, whether it succeeds or fails; globs relative to the workspace",
    ),
    Spelling(
        key="timeout",
        definitions=("job-ordinary", "step-run", "step-uses"),
        where="job, step",
        example="timeout: 1h30m",
        meaning="`timeout-minutes: 90`; a plain number counts minutes; units are ms, s, m, h, d",
    ),
    Spelling(
        key="retry",
        definitions=("job-ordinary",),
        where="job",
        example="retry: {max_attempts: 3, backoff: 30s, exit_codes: [75], retry_on_timeout: true}",
        meaning="a failed job is tried again, at most so often in all; `retry: 3` for short",
    ),
    Spelling(
        key="priority",
        definitions=("workflow", "job-ordinary", "job-call"),
        where="top, job",
        example="priority: 10",
        meaning="what has a higher number is taken from the queue earlier",
    ),
    Spelling(
        key="env_file",
        definitions=("workflow", "job-ordinary"),
        where="top, job",
        example="env_file: ci.env",
        meaning="a file of `NAME=value` lines in the repository; what `env` says wins over it",
    ),
)
"""Every key of the original design that GitHub does not have."""


def own_keys(grammar: Grammar) -> set[tuple[str, str]]:
    """Return the pairs (definition, key) that the grammar marks as Pawl's own, those inside `retry` apart."""
    return {
        (name, key)
        for name, definition in grammar.items()
        if isinstance(definition.shape, MappingShape) and name != "retry-mapping"
        for key, known in definition.shape.keys.items()
        if known.own
    }
