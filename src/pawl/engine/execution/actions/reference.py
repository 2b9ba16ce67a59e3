"""What a `uses:` of a step refers to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pawl.core.model.errors import UsageError
from pawl.core.planning.unsupported import BUILT_IN_ACTIONS


@dataclass(frozen=True, slots=True)
class LocalAction:
    """`./path`: read from the workspace when the step starts; `$/path`: from the repository itself."""

    path: str
    from_repository: bool = False


@dataclass(frozen=True, slots=True)
class ImageAction:
    """`docker://image`."""

    image: str


@dataclass(frozen=True, slots=True)
class BuiltInAction:
    """An action that Pawl does itself, by its name without the ref: `actions/checkout`."""

    name: str
    ref: str


@dataclass(frozen=True, slots=True)
class RemoteAction:
    """`owner/repository[/path]@ref`."""

    name: str
    ref: str


ActionReference: TypeAlias = LocalAction | ImageAction | BuiltInAction | RemoteAction


def parse_reference(uses: str) -> ActionReference:
    """Return what a `uses:` refers to.

    Raises:
        UsageError: it is none of the known forms.
    """
    text = uses.strip()
    if text.startswith("docker://"):
        return ImageAction(text.removeprefix("docker://"))
    if text.startswith("$/"):
        return LocalAction(text.removeprefix("$/"), from_repository=True)
    if text in (".", "./") or text.startswith(("./", ".\\")):
        return LocalAction(text.replace("\\", "/").removeprefix("./").strip("/") or ".")
    name, at, ref = text.partition("@")
    if not at or not ref or name.count("/") < 1:
        raise UsageError(
            f"`uses: {text[:100]}` is no action",
            hint="write `./path`, `docker://image` or `owner/repository@ref`",
        )
    return BuiltInAction(name.lower(), ref) if name.lower() in BUILT_IN_ACTIONS else RemoteAction(name, ref)


def unsupported_action(uses: str) -> str | None:
    """Return why this version cannot run an action, a sentence; None when it can as far as its name says."""
    try:
        reference = parse_reference(uses)
    except UsageError as error:
        return error.message
    if isinstance(reference, RemoteAction):
        return (
            f"`{uses.strip()}` is an action of another repository, and those come with a later version "
            "(`actions/checkout`, `./path` and `docker://image` run today)"
        )
    return None
