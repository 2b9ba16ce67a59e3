"""`volumes:` of containers and services: what a job may mount."""

from __future__ import annotations


def is_machine_folder(volume: str) -> bool:
    """Return whether an entry of `volumes` names a folder of the machine (`/tmp:/host`), which no job gets.

    `name:/path` is a volume with a name, and `/path` alone one without (reliability R24, R26).
    """
    source, separator, target = volume.strip().partition(":")
    return bool(separator) and target not in ("ro", "rw") and source.startswith(("/", ".", "~"))
