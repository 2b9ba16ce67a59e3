"""Blobs of a server in a folder: a file a blob, named by its digest."""

from __future__ import annotations

from pawl.adapters.blobs_folder.blobs import FolderBlobs

__all__ = ["FolderBlobs"]
