"""The top of a workflow file, and what stands both there and in jobs: permissions, defaults, concurrency.

Source: GitHub docs, "Workflow syntax for GitHub Actions"; actions/languageservices' workflow-v1.0.json.
"""

from __future__ import annotations

from pawl.core.workflow.grammar.shapes import (
    Definition,
    MappingShape,
    any_keys,
    key,
    keys,
    list_of,
    one_of,
    own_key,
    words,
)

_ANY_LEVEL = "permission-level"
_READ = "permission-level-read"
_WRITE = "permission-level-write"

PERMISSIONS: dict[str, tuple[str, str]] = {
    "actions": (_ANY_LEVEL, "Runs and artifacts of workflows."),
    "artifact-metadata": (_ANY_LEVEL, "Records about artifacts."),
    "attestations": (_ANY_LEVEL, "Attestations of artifacts."),
    "checks": (_ANY_LEVEL, "Check runs and suites."),
    "code-quality": (_ANY_LEVEL, "Findings of code quality."),
    "contents": (_ANY_LEVEL, "The repository's files, commits, branches and releases."),
    "copilot-requests": (_WRITE, "Requests to Copilot."),
    "deployments": (_ANY_LEVEL, "Deployments."),
    "discussions": (_ANY_LEVEL, "Discussions."),
    "drives": (_ANY_LEVEL, "Drives."),
    "id-token": (_WRITE, "An OpenID Connect token of the job."),
    "issues": (_ANY_LEVEL, "Issues."),
    "models": (_READ, "Inference with GitHub Models."),
    "packages": (_ANY_LEVEL, "Packages."),
    "pages": (_ANY_LEVEL, "Pages."),
    "pull-requests": (_ANY_LEVEL, "Pull requests."),
    "repository-projects": (_ANY_LEVEL, "Classic projects."),
    "security-events": (_ANY_LEVEL, "Code scanning alerts."),
    "statuses": (_ANY_LEVEL, "Statuses of commits."),
    "vulnerability-alerts": (_READ, "Dependabot alerts."),
}
"""The permissions of the job's token, each with the definition of its levels."""

WORKFLOW: dict[str, Definition] = {
    "workflow": keys(
        "A workflow file.",
        on=key("on", "The events that start the workflow.", required=True, implied=True),
        name=key("string", "The workflow's name; the file's path when left out."),
        description=key("string", "What the workflow is for."),
        run_name=key("run-name", "The name of a run; may hold expressions."),
        defaults=key("workflow-defaults", "Settings for all `run` steps."),
        env=key("workflow-env", "Variables for every step of every job."),
        permissions=key("permissions", "What the jobs' token may do."),
        concurrency=key("workflow-concurrency", "At most one run of this group at a time."),
        jobs=key("jobs", "The jobs by id.", required=True),
        environment=own_key("workflow-env", "Variables for every step of every job.", stands_for="env"),
        matrix=own_key("workflow-matrix", "A matrix for every job that has none of its own."),
        stages=own_key("stages", "Names in order: all jobs of a stage end before those of the next begin."),
        env__file=own_key(
            "non-empty-string", "A file of `NAME=value` lines in the repository, for every step."
        ),
        priority=own_key("number", "A higher number is started earlier."),
    ),
    "run-name": one_of("string", scope="run-name"),
    "workflow-env": Definition(
        shape=MappingShape(other_key="non-empty-string", other_value="string"), scope="workflow-env"
    ),
    "workflow-matrix": one_of("matrix", scope="strategy"),
    "stages": list_of("non-empty-string"),
    "workflow-defaults": keys(run=key("workflow-defaults-run", "Settings for `run` steps.")),
    "workflow-defaults-run": keys(
        shell=key("non-empty-string", "The shell of every `run` step that names none."),
        working_directory=key("non-empty-string", "Where every `run` step starts, inside the workspace."),
    ),
    "workflow-concurrency": one_of("string", "concurrency-mapping", scope="workflow-concurrency"),
    "concurrency-mapping": keys(
        group=key("non-empty-string", "Runs of the same group wait for each other.", required=True),
        cancel_in_progress=key("boolean", "Whether a newcomer cancels the run in progress."),
        queue=key("concurrency-queue", "`single` keeps one waiting run, `max` up to 100."),
    ),
    "concurrency-queue": words("single", "max"),
    "permissions": one_of("permissions-mapping", "permissions-all"),
    "permissions-all": words("read-all", "write-all"),
    "permissions-mapping": Definition(
        shape=MappingShape(keys={name: key(level, about) for name, (level, about) in PERMISSIONS.items()})
    ),
    _ANY_LEVEL: words("read", "write", "none"),
    _READ: words("read", "none"),
    _WRITE: words("write", "none"),
    "jobs": any_keys("job"),
}
