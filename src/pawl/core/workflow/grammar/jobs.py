"""Jobs: ordinary ones and calls of reusable workflows.

Source: GitHub docs, "Workflow syntax for GitHub Actions"; actions/languageservices' workflow-v1.0.json. Keys
made with `own_key` are the original design's (requirement L2).
"""

from __future__ import annotations

from pawl.core.workflow.grammar.shapes import (
    Definition,
    Key,
    MappingShape,
    any_keys,
    condition,
    key,
    keys,
    list_of,
    one_of,
    own_key,
    own_timeout,
    words,
)

_OWN_IN_ANY_JOB: dict[str, Key] = {
    "matrix": own_key("job-matrix", "The same as `strategy.matrix`."),
    "stage": own_key("non-empty-string", "The stage the job belongs to; the first one when left out."),
    "priority": own_key("number", "A higher number is started earlier."),
}

_COMMON: dict[str, Key] = {
    "name": key("string-strategy-context", "The job's display name."),
    "needs": key("needs", "The jobs that must end before this one starts."),
    "if": key("job-if", "Whether the job runs."),
    "permissions": key("permissions", "What the job's token may do."),
    "concurrency": key("job-concurrency", "At most one job of this group at a time."),
    "strategy": key("strategy", "How often and with which values the job runs."),
    **_OWN_IN_ANY_JOB,
}

_ORDINARY = MappingShape(
    keys={
        **_COMMON,
        "runs-on": key("runs-on", "Labels of the machine, or a container image.", required=True),
        "timeout-minutes": key(
            "number-strategy-context", "Minutes until the job is cancelled; 360 when left out."
        ),
        "cancel-timeout-minutes": key("number-strategy-context", "Minutes a cancelled job has to end."),
        "continue-on-error": key(
            "boolean-strategy-context", "Whether the run may succeed when the job fails."
        ),
        "container": key("container", "The container the steps run in."),
        "services": key("services", "Containers that run beside the job."),
        "env": key("job-env", "Variables for every step."),
        "environment": key("job-environment", "The deployment environment; or variables, as `env`."),
        "outputs": key("job-outputs", "Values that other jobs may read."),
        "defaults": key("job-defaults", "Settings for all `run` steps."),
        "steps": key("steps", "What the job does, in order."),
        "snapshot": key("snapshot", "Makes an image of the machine after the job."),
        "artifacts": own_key("artifacts", "Globs of files to keep, from the workspace."),
        "timeout": own_timeout("job-timeout"),
        "retry": own_key("retry", "How often a failed job is tried again."),
        "env_file": own_key("non-empty-string", "A file of `NAME=value` lines in the repository."),
    }
)

_CALL = MappingShape(
    keys={
        **_COMMON,
        "uses": key("non-empty-string", "The workflow to call.", required=True),
        "with": key("workflow-job-with", "What it is passed."),
        "secrets": key("workflow-job-secrets", "Secrets it is passed, or `inherit`."),
    }
)

JOBS: dict[str, Definition] = {
    "job": one_of("job-ordinary", "job-call", about="A job: steps to run, or a workflow to call."),
    "job-ordinary": Definition(shape=_ORDINARY),
    "job-call": Definition(shape=_CALL),
    "workflow-job-with": any_keys("scalar-needs-context"),
    "workflow-job-secrets": one_of("workflow-job-secrets-mapping", "workflow-job-secrets-inherit"),
    "workflow-job-secrets-mapping": any_keys("scalar-needs-context-with-secrets"),
    "workflow-job-secrets-inherit": words("inherit"),
    "needs": one_of("non-empty-strings", "non-empty-string"),
    "job-if": condition("job-if", "An expression over github, needs, vars and inputs."),
    "strategy": keys(
        "How often and with which values the job runs.",
        "strategy",
        fail_fast=key("boolean", "Whether one failed job cancels the others; true when left out."),
        max_parallel=key("number", "How many may run at once."),
        matrix=key("matrix", "Lists of values; the job runs once for each combination."),
    ),
    "matrix": Definition(
        shape=MappingShape(
            keys={
                "include": key("matrix-filter", "Further combinations, or values to add to those there are."),
                "exclude": key("matrix-filter", "Combinations to leave out."),
            },
            other_key="non-empty-string",
            other_value="sequence",
        )
    ),
    "matrix-filter": list_of("matrix-filter-item"),
    "matrix-filter-item": any_keys("any"),
    "job-matrix": one_of("matrix", scope="strategy"),
    "snapshot": one_of("non-empty-string", "snapshot-mapping"),
    "snapshot-mapping": keys(
        image_name=key("non-empty-string", "The image's name.", required=True),
        if_=key("snapshot-if", "Whether to make one."),
        version=key("non-empty-string", "The image's version."),
    ),
    "snapshot-if": condition("snapshot-if", "An expression."),
    "runs-on": one_of("non-empty-string", "non-empty-strings", "runs-on-mapping", scope="runs-on"),
    "runs-on-mapping": keys(
        group=key("non-empty-string", "A group of machines."),
        labels=key("string-or-strings", "Labels the machine must have."),
    ),
    "job-env": Definition(
        shape=MappingShape(other_key="non-empty-string", other_value="string"), scope="job-env"
    ),
    "job-concurrency": one_of("non-empty-string", "concurrency-mapping", scope="job-concurrency"),
    "job-environment": one_of(
        "string", "job-environment-mapping", "job-environment-variables", scope="job-environment"
    ),
    "job-environment-mapping": keys(
        name=key("job-environment-name", "The environment's name.", required=True),
        url=key("string-runner-context-no-secrets", "Where the deployment can be seen."),
        deployment=key("boolean", "Whether a deployment is recorded."),
    ),
    "job-environment-variables": Definition(
        shape=MappingShape(other_key="non-empty-string", other_value="string", own=True), scope="job-env"
    ),
    "job-environment-name": one_of("string", scope="job-environment-name"),
    "job-defaults": keys(run=key("job-defaults-run", "Settings for `run` steps.")),
    "job-defaults-run": keys(
        "Settings for `run` steps.",
        "job-defaults-run",
        shell=key("non-empty-string", "The shell of every `run` step that names none."),
        working_directory=key("non-empty-string", "Where every `run` step starts."),
    ),
    "job-outputs": any_keys("string-runner-context"),
    "artifacts": one_of("non-empty-string", "non-empty-strings"),
    "duration": one_of("number", "non-empty-string"),
    "job-timeout": one_of("number", "non-empty-string", scope="number-strategy-context"),
    "retry": one_of("number", "retry-mapping"),
    "retry-mapping": keys(
        max__attempts=own_key("number", "How often the job may run in all."),
        max_attempts=own_key("number", "How often the job may run in all.", stands_for="max_attempts"),
        backoff=own_key("duration", "How long to wait before the next attempt; doubles each time. Seconds."),
        exit__codes=own_key("retry-exit-codes", "Only after these exit codes."),
        exit_codes=own_key("retry-exit-codes", "Only after these exit codes.", stands_for="exit_codes"),
        signals=own_key("retry-words", "Only after these signals ended a step's process: `SIGKILL`."),
        log=own_key("retry-words", "Only when the end of a log holds one of these texts."),
        retry__on__timeout=own_key("boolean", "Whether to try again after a timeout."),
        on_timeout=own_key("boolean", "Whether to try again after a timeout.", stands_for="retry_on_timeout"),
    ),
    "retry-exit-codes": list_of("number"),
    "retry-words": one_of("non-empty-string", "non-empty-strings"),
}
