"""Action files.

Source: GitHub docs, "Metadata syntax for GitHub Actions"; actions/languageservices' action-v1.0.json.
"""

from __future__ import annotations

from pawl.core.workflow.grammar.icons import ICONS
from pawl.core.workflow.grammar.shapes import (
    BUILT_IN,
    Definition,
    Grammar,
    Key,
    MappingShape,
    any_keys,
    condition,
    key,
    keys,
    list_of,
    one_of,
    words,
)

NODE_RUNTIMES = ("node12", "node16", "node20", "node24")
_USING = key("using", "What runs the action.", required=True)

_STEP: dict[str, Key] = {
    "name": key("string-steps-context", "The step's display name."),
    "id": key("non-empty-string", "How other steps refer to this one."),
    "if": key("step-if", "Whether the step runs."),
    "env": key("step-env", "Variables of the step."),
    "continue-on-error": key("boolean-steps-context", "Whether the action goes on when the step fails."),
}

ACTION_GRAMMAR: Grammar = {
    **BUILT_IN,
    "action": keys(
        "An action file.",
        name=key("non-empty-string", "The action's name.", required=True),
        description=key("string", "What it does.", required=True),
        author=key("string", "Who made it."),
        inputs=key("inputs", "What it is given with `with`."),
        outputs=key("outputs", "What it gives back."),
        runs=key("runs", "What it does.", required=True),
        branding=key("branding", "How it looks in a catalogue."),
    ),
    "inputs": any_keys("input"),
    "input": Definition(
        shape=MappingShape(
            keys={
                "description": key("string", "What the input is for."),
                "required": key("boolean", "Whether it must be given."),
                "default": key("input-default-context", "The value when none is given."),
                "deprecationMessage": key("string", "A warning shown when the input is used."),
            },
            other_key="non-empty-string",
        )
    ),
    "input-default-context": one_of("string", scope="input-default-context"),
    "outputs": any_keys("output"),
    "output": keys(
        description=key("string", "What the output holds."),
        value=key("output-value", "Its value; composite actions only."),
    ),
    "output-value": one_of("string", scope="output-value"),
    "runs": one_of("runs-docker", "runs-node", "runs-composite"),
    "using": words("docker", *NODE_RUNTIMES, "composite"),
    "runs-docker": keys(
        using=_USING,
        image=key("non-empty-string", "`Dockerfile` or `docker://image`.", required=True),
        entrypoint=key("non-empty-string", "Replaces the image's entry point."),
        args=key("runs-args", "Arguments of the entry point."),
        env=key("runs-env", "Variables."),
        pre_entrypoint=key("non-empty-string", "Runs before the job's steps."),
        pre_if=key("runs-if", "Whether it runs."),
        post_entrypoint=key("non-empty-string", "Runs after the job's steps."),
        post_if=key("runs-if", "Whether it runs."),
    ),
    "runs-args": list_of("runs-arg"),
    "runs-arg": one_of("string", scope="container-runs-context"),
    "runs-env": any_keys("string", scope="container-runs-env"),
    "runs-node": keys(
        using=_USING,
        main=key("non-empty-string", "The script.", required=True),
        pre=key("non-empty-string", "Runs before the job's steps."),
        pre_if=key("runs-if", "Whether it runs."),
        post=key("non-empty-string", "Runs after the job's steps."),
        post_if=key("runs-if", "Whether it runs."),
    ),
    "runs-if": condition("runs-if", "An expression; `always()` when left out."),
    "runs-composite": keys(using=_USING, steps=key("composite-steps", "The steps, in order.", required=True)),
    "composite-steps": list_of("composite-step"),
    "composite-step": one_of("composite-run", "composite-uses"),
    "composite-run": Definition(
        shape=MappingShape(
            keys={
                **_STEP,
                "run": key("string-steps-context", "The script.", required=True),
                "shell": key("string-steps-context", "The shell that runs it.", required=True),
                "working-directory": key("string-steps-context", "Where it starts."),
            }
        )
    ),
    "composite-uses": Definition(
        shape=MappingShape(
            keys={
                **_STEP,
                "uses": key("non-empty-string", "The action to run.", required=True),
                "with": key("step-with", "The action's inputs."),
            }
        )
    ),
    "string-steps-context": one_of("string", scope="string-steps-context"),
    "boolean-steps-context": one_of("boolean", scope="boolean-steps-context"),
    "step-env": any_keys("string", scope="step-env"),
    "step-if": condition("step-if", "An expression."),
    "step-with": any_keys("string", scope="step-with"),
    "branding": keys(
        icon=key("branding-icon", "The name of a Feather icon."),
        color=key("branding-color", "The background."),
    ),
    "branding-icon": words(*ICONS),
    "branding-color": words("white", "yellow", "blue", "green", "orange", "red", "purple", "gray-dark"),
}
"""Everything reachable from the definition `action`."""
