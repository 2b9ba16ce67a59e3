"""The files of one commit as a stream of git objects: packed here, unpacked in a workspace."""

from __future__ import annotations

from pawl.adapters.source_pack.header import Header
from pawl.adapters.source_pack.limits import PackLimits
from pawl.adapters.source_pack.packing import pack
from pawl.adapters.source_pack.source import PackedSource

__all__ = ["Header", "PackLimits", "PackedSource", "pack"]
