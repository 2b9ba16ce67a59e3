"""An action file as written: an immutable tree; what may hold expressions stays a `Node`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pawl.core.diagnostics import Span
from pawl.core.workflow.nodes import Node
from pawl.core.workflow.syntax import Condition, Step, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionInput:
    """A declared input. `default` may hold an expression; inputs are always text."""

    name: Text
    required: bool = False
    default: Node | None = None
    description: str = ""
    deprecation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOutput:
    """A declared output. `value` is there for composite actions only."""

    name: Text
    value: Node | None = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeRuns:
    """Steps, run in the job like steps of the workflow."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerRuns:
    """A container action.

    Attributes:
        image: `docker://name`, or the path of a Dockerfile beside the action file.
        args: nodes that may hold expressions over `inputs`; None where the file gives none.
        pre_condition, post_condition: None stands for `always()`.
    """

    image: Text
    entrypoint: Text | None = None
    args: tuple[Node, ...] | None = None
    env: Node | None = None
    pre_entrypoint: Text | None = None
    pre_condition: Condition | None = None
    post_entrypoint: Text | None = None
    post_condition: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRuns:
    """A JavaScript action. `using` is the runtime, such as `node20`; paths are beside the action file.

    Attributes:
        pre_condition, post_condition: None stands for `always()`.
    """

    using: str
    main: Text
    pre: Text | None = None
    pre_condition: Condition | None = None
    post: Text | None = None
    post_condition: Condition | None = None


Runs: TypeAlias = "CompositeRuns | DockerRuns | NodeRuns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A whole action file. `path` is its name as it was given to the parser."""

    path: str
    span: Span
    name: str
    runs: Runs
    description: str = ""
    inputs: tuple[ActionInput, ...] = ()
    outputs: tuple[ActionOutput, ...] = ()
