"""Steps. Source: GitHub docs, workflow syntax; actions/languageservices' workflow-v1.0.json."""

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
)

_NAMED: dict[str, Key] = {
    "name": key("step-name", "The step's display name."),
    "id": key("non-empty-string", "How other steps refer to this one."),
    "continue-on-error": key("step-continue-on-error", "Whether the job goes on when the step fails."),
}
_ACTIVE: dict[str, Key] = {
    **_NAMED,
    "if": key("step-if", "Whether the step runs."),
    "timeout-minutes": key("step-timeout-minutes", "Minutes until the step is stopped."),
    "env": key("step-env", "Variables of the step."),
    "background": key("boolean", "Whether the job goes on while the step runs."),
    "environment": own_key("step-env", "Variables of the step.", stands_for="env"),
    "timeout": own_timeout("step-timeout"),
}

STEPS: dict[str, Definition] = {
    "steps": list_of("step"),
    "step": one_of("step-run", "step-uses", "step-wait", "step-wait-all", "step-cancel", "step-parallel"),
    "step-run": Definition(
        shape=MappingShape(
            keys={
                **_ACTIVE,
                "run": key("string-steps-context", "The script.", required=True),
                "command": own_key("string-steps-context", "The script.", stands_for="run"),
                "working-directory": key("string-steps-context", "Where it starts."),
                "shell": key("non-empty-string", "The shell that runs it."),
            }
        )
    ),
    "step-uses": Definition(
        shape=MappingShape(
            keys={
                **_ACTIVE,
                "uses": key("non-empty-string", "The action to run.", required=True),
                "with": key("step-with", "The action's inputs."),
            }
        )
    ),
    "step-wait": Definition(
        shape=MappingShape(
            keys={
                **_NAMED,
                "wait": key("string-or-strings", "The background steps to wait for.", required=True),
            }
        )
    ),
    "step-wait-all": Definition(
        shape=MappingShape(
            keys={
                **_NAMED,
                "wait-all": key("null-or-boolean", "Waits for all background steps.", required=True),
            }
        )
    ),
    "step-cancel": Definition(
        shape=MappingShape(
            keys={
                **_NAMED,
                "cancel": key("non-empty-string", "The background step to stop.", required=True),
            }
        )
    ),
    "step-parallel": keys(parallel=key("steps", "Steps that run side by side.", required=True)),
    "null-or-boolean": one_of("null", "boolean"),
    "step-continue-on-error": one_of("boolean", scope="step-continue-on-error"),
    "step-if": condition("step-if", "An expression."),
    "step-env": Definition(
        shape=MappingShape(other_key="non-empty-string", other_value="string"), scope="step-env"
    ),
    "step-name": one_of("string", scope="step-name"),
    "step-timeout-minutes": one_of("number", scope="step-timeout-minutes"),
    "step-timeout": one_of("number", "non-empty-string", scope="step-timeout-minutes"),
    "step-with": any_keys("string", scope="step-with"),
}

IN_SCOPE: dict[str, Definition] = {
    "number-strategy-context": one_of("number", scope="number-strategy-context"),
    "boolean-strategy-context": one_of("boolean", scope="boolean-strategy-context"),
    "string-strategy-context": one_of("string", scope="string-strategy-context"),
    "string-runner-context": one_of("string", scope="string-runner-context"),
    "string-runner-context-no-secrets": one_of("string", scope="string-runner-context-no-secrets"),
    "string-steps-context": one_of("string", scope="string-steps-context"),
    "scalar-needs-context": one_of("string", "boolean", "number", scope="scalar-needs-context"),
    "scalar-needs-context-with-secrets": one_of(
        "string", "boolean", "number", scope="scalar-needs-context-with-secrets"
    ),
}
