"""Which image a job runs in: from `runs-on`, or from `container:`."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from pawl.core.model.errors import UsageError
from pawl.core.model.plan import Json

_FOREIGN = ("windows", "macos")
_ANY_MACHINE = frozenset({"self-hosted", "linux", "x64", "arm64", "x86_64", "amd64"})


def runs_on_labels(runs_on: Json) -> tuple[str, ...]:
    """Return the labels of a rendered `runs-on`: a string, a list, or `{group, labels}`.

    Raises:
        UsageError: it is none of these, or empty.
    """
    match runs_on:
        case str() if runs_on.strip():
            return (runs_on.strip(),)
        case list() if runs_on and all(isinstance(label, str) and label.strip() for label in runs_on):
            return tuple(str(label).strip() for label in runs_on)
        case dict():
            labels = runs_on.get("labels")
            return runs_on_labels(labels) if labels else (str(runs_on.get("group") or "self-hosted"),)
        case _:
            raise UsageError(
                f"`runs-on` is {'empty' if not runs_on else 'neither text nor a list of texts'}",
                hint="name a label (`ubuntu-latest`) or an image (`debian:12`)",
            )


def choose_image(labels: tuple[str, ...], images: Mapping[str, str]) -> str:
    """Return the image for a job with these labels.

    The first label with an image of its own wins; keys of `images` may hold `*`. A label that looks like an
    image reference (it has a `:`, `/` or `@`) is one (requirement L2).

    Raises:
        UsageError: no label says anything; the message names the setting that would.
    """
    for label in labels:
        image = images.get(label) or images.get(label.lower())
        if image is not None:
            return image
    for label in labels:
        pattern = next(
            (key for key in images if "*" in key and fnmatchcase(label.lower(), key.lower())), None
        )
        if pattern is not None:
            return images[pattern]
        if any(char in label for char in ":/@"):
            return label
    if all(label.lower() in _ANY_MACHINE for label in labels) and "ubuntu-latest" in images:
        return images["ubuntu-latest"]
    named = ", ".join(f"`{label}`" for label in labels)
    if foreign_system(labels):
        raise UsageError(
            f"no container can stand in for {named}",
            hint="run this job on such a machine with `--executor host`",
        )
    first = next((label for label in labels if label.lower() not in _ANY_MACHINE), labels[0])
    raise UsageError(
        f"no image is known for the label {named}",
        hint=f'add `{first} = "IMAGE"` under `[labels]` in pawl.toml, or write an image with its tag '
        f"(`{first}:latest`) in `runs-on`",
    )


def foreign_system(labels: tuple[str, ...]) -> str | None:
    """Return `windows` or `macos` when the labels ask for such a machine, else None."""
    lowered = [label.lower() for label in labels]
    return next((name for name in _FOREIGN if any(label.startswith(name) for label in lowered)), None)


def is_image_reference(label: str) -> bool:
    """Return whether a label of `runs-on` can only be an image."""
    return any(char in label for char in ":/@")
