"""`on:`: every event that GitHub documents, with its activity types and filters.

Source: GitHub docs, "Events that trigger workflows"; the definitions of actions/languageservices'
workflow-v1.0.json.
"""

from __future__ import annotations

from pawl.core.workflow.event_facts import EVENTS, EventFacts
from pawl.core.workflow.grammar.shapes import (
    Definition,
    Key,
    MappingShape,
    any_keys,
    key,
    keys,
    list_of,
    one_of,
    words,
)

_ABOUT_FILTER = {
    "branches": "Only for branches that match one of these patterns.",
    "branches-ignore": "Not for branches that match one of these patterns.",
    "tags": "Only for tags that match one of these patterns.",
    "tags-ignore": "Not for tags that match one of these patterns.",
    "paths": "Only when a changed file matches one of these patterns.",
    "paths-ignore": "Not when every changed file matches one of these patterns.",
    "workflows": "The names of the workflows to wait for.",
    "names": "Only for images of these names.",
    "versions": "Only for these versions.",
}


def _event_keys(name: str, facts: EventFacts) -> MappingShape:
    known: dict[str, Key] = {}
    if facts.types:
        known["types"] = key(f"on-{name}-types", "Only for these activity types.")
    known |= {word: key("string-or-strings", _ABOUT_FILTER[word]) for word in facts.filters}
    return MappingShape(keys=known)


def _event(name: str, facts: EventFacts) -> dict[str, Definition]:
    if not facts.types and not facts.filters:
        return {f"on-{name}": one_of("null", about=facts.about)}
    definitions = {
        f"on-{name}": one_of("null", f"on-{name}-mapping", about=facts.about),
        f"on-{name}-mapping": Definition(shape=_event_keys(name, facts)),
    }
    if facts.types:
        definitions[f"on-{name}-types"] = one_of(f"on-{name}-type", f"on-{name}-type-list")
        definitions[f"on-{name}-type"] = words(*facts.types)
        definitions[f"on-{name}-type-list"] = list_of(f"on-{name}-type")
    return definitions


_CALLED: dict[str, Definition] = {
    "on-workflow_call": one_of("null", "on-workflow_call-mapping", about=EVENTS["workflow_call"].about),
    "on-workflow_call-mapping": keys(
        inputs=key("on-workflow_call-inputs", "What the caller may pass with `with`."),
        secrets=key("on-workflow_call-secrets", "Secrets the caller may pass."),
        outputs=key("on-workflow_call-outputs", "What the caller gets back."),
    ),
    "on-workflow_call-inputs": any_keys("on-workflow_call-input"),
    "on-workflow_call-input": keys(
        description=key("string", "What the input is for."),
        type=key("on-workflow_call-input-type", "`boolean`, `number` or `string`.", required=True),
        required=key("boolean", "Whether the caller must pass it."),
        default=key("on-workflow_call-input-default", "The value when the caller passes none."),
    ),
    "on-workflow_call-input-type": words("string", "boolean", "number"),
    "on-workflow_call-input-default": one_of(
        "string", "boolean", "number", scope="workflow-call-input-default"
    ),
    "on-workflow_call-secrets": any_keys("on-workflow_call-secret"),
    "on-workflow_call-secret": one_of("null", "on-workflow_call-secret-mapping"),
    "on-workflow_call-secret-mapping": keys(
        description=key("string", "What the secret is for."),
        required=key("boolean", "Whether the caller must pass it."),
    ),
    "on-workflow_call-outputs": any_keys("on-workflow_call-output"),
    "on-workflow_call-output": keys(
        description=key("string", "What the output holds."),
        value=key("on-workflow_call-output-value", "The value, made of the outputs of jobs.", required=True),
    ),
    "on-workflow_call-output-value": one_of("string", scope="workflow-output-context"),
}

_STARTED: dict[str, Definition] = {
    "on-workflow_dispatch": one_of(
        "null", "on-workflow_dispatch-mapping", about=EVENTS["workflow_dispatch"].about
    ),
    "on-workflow_dispatch-mapping": keys(
        inputs=key("on-workflow_dispatch-inputs", "What the person who starts it is asked for.")
    ),
    "on-workflow_dispatch-inputs": any_keys("on-workflow_dispatch-input"),
    "on-workflow_dispatch-input": keys(
        description=key("string", "What the input is for."),
        type=key("on-workflow_dispatch-input-type", "`string` when left out."),
        required=key("boolean", "Whether a value must be given."),
        default=key("on-workflow_dispatch-input-default", "The value when none is given."),
        options=key("strings", "The values to choose from, for the type `choice`."),
    ),
    "on-workflow_dispatch-input-type": words("string", "boolean", "number", "choice", "environment"),
    "on-workflow_dispatch-input-default": one_of("string", "boolean", "number"),
    "on-repository_dispatch": one_of(
        "null", "on-repository_dispatch-mapping", about=EVENTS["repository_dispatch"].about
    ),
    "on-repository_dispatch-mapping": keys(types=key("non-empty-strings", "Only for these event types.")),
    "on-schedule": list_of("on-schedule-item", EVENTS["schedule"].about),
    "on-schedule-item": keys(
        cron=key(
            "non-empty-string", "Minute, hour, day of month, month, day of week, in UTC.", required=True
        ),
        timezone=key("non-empty-string", "An IANA time zone that the times are meant in."),
    ),
}

TRIGGERS: dict[str, Definition] = {
    "on": one_of("on-name", "on-list", "on-mapping", about="The events that start the workflow."),
    "on-name": words(*EVENTS),
    "on-list": list_of("on-name"),
    "on-mapping": Definition(
        shape=MappingShape(keys={name: key(f"on-{name}", facts.about) for name, facts in EVENTS.items()})
    ),
    **{name: value for event, facts in EVENTS.items() for name, value in _event(event, facts).items()},
    **_CALLED,
    **_STARTED,
}
