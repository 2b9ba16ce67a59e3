"""What a step of `actions/checkout` asks for. Source: the action's action.yml and input-helper.ts, v5.

One default differs: `persist-credentials` is false, so that no token lies in a workspace unless it is asked
for (reliability.md R16).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from pawl.core.model.errors import UsageError

INPUTS = frozenset({
    "repository", "ref", "token", "ssh-key", "ssh-known-hosts", "ssh-strict", "ssh-user", "path", "clean",
    "persist-credentials", "filter", "sparse-checkout", "sparse-checkout-cone-mode", "fetch-depth",
    "fetch-tags", "show-progress", "lfs", "submodules", "set-safe-directory", "github-server-url",
    "allow-unsafe-pr-checkout",
})  # fmt: skip
"""All inputs of the action."""

_DEEPEST = 2**31 - 1  # git's own limit


class Submodules(Enum):
    """Which submodules come along."""

    NONE = auto()
    DIRECT = auto()
    RECURSIVE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """What of a commit goes into a workspace.

    Attributes:
        depth: commits of history; 0 is all of it, and all branches and tags.
        tags: whether the tags come along, too, whatever the depth.
        sparse: folders (with `cone`) or patterns as of .gitignore; everything when there is none.
        cone: whether `sparse` are folders.
        submodules: which come along.
        lfs: whether files of Git LFS are fetched.
        persist_credentials: whether the job's git can fetch and push with the same credentials.
    """

    depth: int = 1
    tags: bool = False
    sparse: tuple[str, ...] = ()
    cone: bool = True
    submodules: Submodules = Submodules.NONE
    lfs: bool = False
    persist_credentials: bool = False


def read_checkout(inputs: Mapping[str, str]) -> Checkout:
    """Return what a step's inputs ask for; one that the action does not have is left to `unknown_inputs`.

    Raises:
        UsageError: a value cannot be meant so; the message names the input.
    """
    lines = (line.strip() for line in inputs.get("sparse-checkout", "").splitlines())
    return Checkout(
        depth=_depth(inputs.get("fetch-depth", "")),
        tags=_is_true(inputs, "fetch-tags"),
        sparse=tuple(line for line in lines if line),
        cone=_is_true(inputs, "sparse-checkout-cone-mode", default=True),
        submodules=_submodules(inputs),
        lfs=_is_true(inputs, "lfs"),
        persist_credentials=_is_true(inputs, "persist-credentials"),
    )


def unknown_inputs(inputs: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names among `inputs` that the action does not have."""
    return tuple(name for name in inputs if name not in INPUTS)


def _depth(text: str) -> int:
    text = text.strip() or "1"
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise UsageError(
            f"actions/checkout: `fetch-depth: {text[:50]}` is no number of commits",
            hint="write 1 or more, or 0 for the whole history",
        )
    return min(int(text), _DEEPEST)


def _submodules(inputs: Mapping[str, str]) -> Submodules:
    if inputs.get("submodules", "").strip().lower() == "recursive":
        return Submodules.RECURSIVE
    return Submodules.DIRECT if _is_true(inputs, "submodules") else Submodules.NONE


def _is_true(inputs: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    text = inputs.get(name, "").strip().lower()
    if text not in {"", "true", "false"}:
        allowed = "`true`, `false` or `recursive`" if name == "submodules" else "`true` or `false`"
        raise UsageError(f"actions/checkout: `{name}: {text[:50]}` is not {allowed}")
    return text == "true" if text else default
