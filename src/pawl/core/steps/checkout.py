"""What a step of `actions/checkout` asks for. Source: the action's action.yml and input-helper.ts, v5.

One default differs: `persist-credentials` is false, so that no token lies in a workspace unless it is asked
for (reliability.md R16).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

INPUTS = frozenset({
    "repository", "ref", "token", "ssh-key", "ssh-known-hosts", "ssh-strict", "ssh-user", "path", "clean",
    "persist-credentials", "filter", "sparse-checkout", "sparse-checkout-cone-mode", "fetch-depth",
    "fetch-tags", "show-progress", "lfs", "submodules", "set-safe-directory", "github-server-url",
    "allow-unsafe-pr-checkout",
})  # fmt: skip
"""All inputs of the action."""

_DIGITS = 20
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
        token: what to fetch with instead of the run's own credentials; "" for these.
    """

    depth: int = 1
    tags: bool = False
    sparse: tuple[str, ...] = ()
    cone: bool = True
    submodules: Submodules = Submodules.NONE
    lfs: bool = False
    persist_credentials: bool = False
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutInputs:
    """What a step's inputs ask for, and what is to be said about them, a sentence each."""

    wanted: Checkout
    remarks: tuple[str, ...] = ()


def read_checkout(inputs: Mapping[str, str]) -> CheckoutInputs:
    """Return what a step's inputs ask for. A value that cannot be meant so counts as it does at GitHub."""
    remarks = [f"actions/checkout has no input `{name[:100]}`" for name in inputs if name not in INPUTS]
    reader = _Reader(inputs, remarks)
    wanted = Checkout(
        depth=reader.depth(),
        tags=reader.is_true("fetch-tags"),
        sparse=reader.lines("sparse-checkout"),
        cone=reader.is_true("sparse-checkout-cone-mode", default=True),
        submodules=reader.submodules(),
        lfs=reader.is_true("lfs"),
        persist_credentials=reader.is_true("persist-credentials"),
        token=reader.text("token"),
    )
    return CheckoutInputs(wanted=wanted, remarks=tuple(remarks))


@dataclass(frozen=True, slots=True)
class _Reader:
    inputs: Mapping[str, str]
    remarks: list[str]

    def text(self, name: str) -> str:
        return self.inputs.get(name, "").strip()

    def lines(self, name: str) -> tuple[str, ...]:
        lines = (line.strip() for line in self.text(name).splitlines())
        return tuple(line for line in lines if line)

    def depth(self) -> int:
        text = self.text("fetch-depth") or "1"
        if text.isascii() and text.isdigit():
            return min(int(text[:_DIGITS]), _DEEPEST)
        self.remarks.append(
            f"`fetch-depth: {text[:50]}` is no number of commits: the whole history comes along"
        )
        return 0

    def submodules(self) -> Submodules:
        if self.text("submodules").lower() == "recursive":
            return Submodules.RECURSIVE
        return Submodules.DIRECT if self.is_true("submodules") else Submodules.NONE

    def is_true(self, name: str, *, default: bool = False) -> bool:
        text = self.text(name).lower()
        if text not in {"", "true", "false"}:
            self.remarks.append(f"`{name}: {text[:50]}` counts as `false`: it is not `true`")
        return text == "true" if text else default
