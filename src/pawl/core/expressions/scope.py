"""What an expression may use at one place of a workflow or action file (language.md rules 9 and 24)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from pawl.core.expressions.availability import ACTION_AVAILABILITY, WORKFLOW_AVAILABILITY
from pawl.core.expressions.functions import BUILTINS, EXTENSIONS, MANY, Arity
from pawl.core.expressions.text_rules import fold_case
from pawl.core.expressions.types import CONTEXT_TYPES, Type

SHORT_NAMES = frozenset({"branch", "event", "tag"})
"""Pawl's own contexts in conditions (requirement L7)."""

_WITH_SHORT_NAMES = frozenset({"job-if", "step-if", "job-if-result", "step-if-result"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The names that exist at one place.

    Attributes:
        contexts: context names; letter case does not matter.
        functions: functions beyond those of the language; letter case does not matter.
        arities: of `functions`, by name in folded case, where narrower than usual.
        types: what is known about contexts; by name as in `contexts`.
    """

    contexts: frozenset[str]
    functions: frozenset[str] = frozenset()
    arities: Mapping[str, Arity] = field(default_factory=lambda: MappingProxyType({}))
    types: Mapping[str, Type] = field(default_factory=lambda: CONTEXT_TYPES)

    def with_types(self, types: Mapping[str, Type]) -> Scope:
        """Return the scope knowing more about some contexts, such as the ids of `needs` and `steps`."""
        return replace(self, types={**self.types, **types})

    def with_contexts(self, *names: str) -> Scope:
        """Return the scope with more contexts."""
        return replace(self, contexts=self.contexts | set(names))

    def has_context(self, name: str) -> bool:
        """Return whether the context exists here."""
        folded = fold_case(name)
        return any(fold_case(known) == folded for known in self.contexts)

    def arity(self, name: str) -> Arity | None:
        """Return how many arguments the function takes here; None when there is no such function."""
        folded = fold_case(name)
        if folded in BUILTINS:
            return BUILTINS[folded].arity
        if not any(fold_case(known) == folded for known in self.functions):
            return None
        usual = EXTENSIONS[folded][1] if folded in EXTENSIONS else Arity(0, MANY)
        return self.arities.get(folded, usual)


def _scope(contexts: str, functions: str, more: frozenset[str]) -> Scope:
    arities: dict[str, Arity] = {}
    names: list[str] = []
    for text in functions.split():
        name, _, bounds = text.rstrip(")").partition("(")
        least, _, most = bounds.partition(",")
        names.append(name)
        arities[fold_case(name)] = Arity(int(least), MANY if most == "MAX" else int(most))
    return Scope(contexts=frozenset(contexts.split()) | more, functions=frozenset(names), arities=arities)


SCOPES: Mapping[str, Scope] = MappingProxyType(
    {
        name: _scope(contexts, functions, SHORT_NAMES if name in _WITH_SHORT_NAMES else frozenset())
        for name, (contexts, functions) in WORKFLOW_AVAILABILITY.items()
    }
)
"""By definition name of the official workflow schema, such as `step-if`."""

ACTION_SCOPES: Mapping[str, Scope] = MappingProxyType(
    {
        name: _scope(contexts, functions, SHORT_NAMES if name in _WITH_SHORT_NAMES else frozenset())
        for name, (contexts, functions) in ACTION_AVAILABILITY.items()
    }
)
"""By definition name of the official action schema, such as `runs-if`."""
