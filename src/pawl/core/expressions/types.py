"""Types of the static check: what may be known about a value before a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from pawl.core.expressions.text_rules import fold_case


class Scalar(Enum):
    """A primitive of a known kind."""

    NULL = "null"
    BOOLEAN = "boolean"
    NUMBER = "number"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class AnyType:
    """Nothing is known."""


@dataclass(frozen=True, slots=True)
class ArrayType:
    """An array; `filtered` when `.*` made it, so that a later index applies to each element."""

    element: Type
    filtered: bool = False


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An object.

    Attributes:
        properties: by name as documented.
        rest: the type of any other property; None when there is no other.
    """

    properties: Mapping[str, Type] = field(default_factory=lambda: MappingProxyType({}))
    rest: Type | None = None

    def look_up(self, name: str) -> Type | None:
        """Return the type of the property, ignoring letter case; None when there is none."""
        folded = fold_case(name)
        for known, type_ in self.properties.items():
            if fold_case(known) == folded:
                return type_
        return self.rest


Type = AnyType | Scalar | ArrayType | ObjectType

ANY = AnyType()
_TEXT = Scalar.STRING


def text_object(names: str) -> ObjectType:
    """Return the type of an object that has these properties (separated by blanks), all strings, no other."""
    return ObjectType(dict.fromkeys(names.split(), _TEXT))


ANY_OBJECT = ObjectType(rest=ANY)
TEXT_MAP = ObjectType(rest=_TEXT)

_GITHUB = """
action action_path action_ref action_repository action_status actor actor_id api_url base_ref env
event_name event_path graphql_url head_ref job job_workflow_sha output path ref ref_name ref_type repository
repository_id repository_owner repository_owner_id repository_visibility repositoryUrl retention_days
run_id run_number run_attempt secret_source server_url sha state step_summary token triggering_actor workflow
workflow_ref workflow_sha workspace
"""
_SERVICE = ObjectType({"id": _TEXT, "network": _TEXT, "ports": ANY_OBJECT})

CONTEXT_TYPES: Mapping[str, Type] = MappingProxyType(
    {
        "github": ObjectType(
            {
                **text_object(_GITHUB).properties,
                "event": ANY_OBJECT,
                "ref_protected": ANY,
                "artifact_cache_size_limit": ANY,
            }
        ),
        "env": TEXT_MAP,
        "vars": TEXT_MAP,
        "secrets": TEXT_MAP,
        "inputs": ANY_OBJECT,
        "matrix": ANY,  # null in a job without matrix
        "job": ObjectType(
            {
                "status": _TEXT,
                "check_run_id": ANY,
                "container": ObjectType({"id": _TEXT, "network": _TEXT}),
                "services": ObjectType(rest=_SERVICE),
                "workflow_ref": _TEXT,
                "workflow_sha": _TEXT,
                "workflow_repository": _TEXT,
                "workflow_file_path": _TEXT,
            }
        ),
        "jobs": ObjectType(rest=ObjectType({"result": _TEXT, "outputs": TEXT_MAP})),
        "needs": ObjectType(rest=ObjectType({"result": _TEXT, "outputs": TEXT_MAP})),
        "runner": ObjectType(
            {
                **text_object("name os arch temp tool_cache environment workspace").properties,
                "debug": _TEXT,
            }
        ),
        "steps": ObjectType(rest=ObjectType({"outputs": TEXT_MAP, "outcome": _TEXT, "conclusion": _TEXT})),
        "strategy": ObjectType(
            {
                "fail-fast": Scalar.BOOLEAN,
                "job-index": Scalar.NUMBER,
                "job-total": Scalar.NUMBER,
                "max-parallel": Scalar.NUMBER,
            }
        ),
        "branch": _TEXT,
        "event": _TEXT,
        "tag": _TEXT,
    }
)
"""What GitHub documents about each context ("Contexts reference"); the last three are Pawl's short names."""


def describe_type(type_: Type) -> str:
    """Return the type in words for a message."""
    match type_:
        case AnyType():
            return "a value"
        case Scalar.NULL:
            return "null"
        case Scalar():
            return f"a {type_.value}"
        case ArrayType():
            return "an array"
        case ObjectType():
            return "an object"
