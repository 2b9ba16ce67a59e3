"""What a step's workflow commands do: outputs, variables, folders for PATH, problem matchers, refusals."""

from __future__ import annotations

from collections.abc import Callable

from pawl.core.expressions import Untrusted
from pawl.core.steps.commands import (
    AddMatcher,
    AddPath,
    Command,
    Rejected,
    RemoveMatcher,
    SaveState,
    SetEnv,
    SetOutput,
)
from pawl.engine.execution.bench import Handover


class CommandEffects:
    """Takes the commands of one process as they come. Variables and folders count from the next step on."""

    def __init__(
        self,
        handover: Handover,
        *,
        untrusted: bool,
        add_matcher: Callable[[str], None],
        remove_matcher: Callable[[str | None, str | None], None],
    ) -> None:
        """Take where effects go; `untrusted` when the step had used values that outsiders control (M8)."""
        self._handover = handover
        self._untrusted = untrusted
        self._add_matcher = add_matcher
        self._remove_matcher = remove_matcher
        self.outputs: dict[str, str] = {}
        self.state: dict[str, str] = {}
        self.faults: list[str] = []

    def take(self, command: Command) -> None:
        """Do what a command says."""
        match command:
            case SetOutput(name=name, value=value):
                self.outputs[name] = self._mark(value)
            case SaveState(name=name, value=value):
                self.state[name] = value
            case SetEnv(name=name, value=value):
                environment = self._handover.environment
                self._handover.environment = environment.with_variables({name: self._mark(value)})
            case AddPath(path=path):
                self._handover.environment = self._handover.environment.with_folders([path])
            case AddMatcher(path=path):
                self._add_matcher(path)
            case RemoveMatcher(owner=owner, path=path):
                self._remove_matcher(owner, path)
            case Rejected(message=message, fails=True):
                self.faults.append(message)
            case _:
                # Groups, annotations, masks and the like are done where the log is written.
                pass

    def _mark(self, value: str) -> str:
        return Untrusted(value) if self._untrusted else value
