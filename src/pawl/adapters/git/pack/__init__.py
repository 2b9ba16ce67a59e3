"""The files of one commit as a stream of git objects: packed here, unpacked in a workspace."""

from __future__ import annotations

from pawl.adapters.git.pack.header import Header
from pawl.adapters.git.pack.limits import PackLimits
from pawl.adapters.git.pack.packing import pack
from pawl.adapters.git.pack.source import PackedSource, remarks_on

__all__ = ["Header", "PackLimits", "PackedSource", "pack", "remarks_on"]
