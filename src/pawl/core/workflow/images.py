"""Names of container images (distribution/reference, regexp.go), and when `runs-on` means one."""

from __future__ import annotations

import re

# Each part is a plain run of a class with single separators, and the text is short: linear in practice.
_MAX_LENGTH = 400
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-{1,16})[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
_IMAGE = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?"
    r"(?:@[a-z0-9+._-]+:[0-9a-fA-F]{32,128})?\Z"
)
_LABEL = re.compile(r"[A-Za-z0-9_.-]+\Z")


def image_problem(text: str) -> str | None:
    """Return what is wrong with the name of an image, or None."""
    if len(text) > _MAX_LENGTH:
        return f"an image's name has at most {_MAX_LENGTH} characters"
    if _IMAGE.match(text):
        return None
    if text != text.strip() or " " in text:
        return "an image's name has no blanks"
    if _IMAGE.match(text.lower()):
        return "an image's name is written in lower case"
    return "expected `name`, `name:tag` or `registry/name@sha256:...`"


def is_image(label: str) -> bool:
    """Return whether a `runs-on` text is an image (requirement L2): it has a `:` or `/` that no label has."""
    if _LABEL.match(label) or image_problem(label) is not None:
        return False
    return ":" in label or "/" in label
