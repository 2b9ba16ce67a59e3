"""`permissions:` as levels that can be compared (GitHub docs, `permissions`)."""

from __future__ import annotations

from pawl.core.workflow.fields import text_of
from pawl.core.workflow.grammar.workflow import PERMISSIONS
from pawl.core.workflow.nodes import Mapping, Node

Permissions = frozenset[tuple[str, str]]
"""Pairs of a permission and its level, `read` or `write`; what is not here is `none`."""

_LEVELS = ("none", "read", "write")


def read_permissions(node: Node | None) -> Permissions | None:
    """Return the permissions of a node; None when there is none, so that the surroundings' count."""
    if node is None:
        return None
    if isinstance(node, Mapping):
        given = {name.text: str(text_of(value) or "none") for name, value in node}
        return frozenset((name, level) for name, level in given.items() if level in _LEVELS[1:])
    level = str(text_of(node) or "").removesuffix("-all")
    return frozenset((name, level) for name in PERMISSIONS) if level in _LEVELS[1:] else frozenset()


def exceeding(requested: Permissions | None, allowed: Permissions) -> str | None:
    """Return the first permission requested and not allowed, as `name: level`; None when there is none."""
    levels = dict(allowed)
    for name, level in sorted(requested or ()):
        if _LEVELS.index(level) > _LEVELS.index(levels.get(name, "none")):
            return f"{name}: {level}"
    return None


def show(allowed: Permissions, wanted: str) -> str:
    """Return what is allowed of the permission in `wanted` (`name: level`)."""
    name = wanted.partition(":")[0]
    return f"{name}: {dict(allowed).get(name, 'none')}"
